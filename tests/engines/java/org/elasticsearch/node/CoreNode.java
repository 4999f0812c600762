package org.elasticsearch.node;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.elasticsearch.bootstrap.BootstrapInfo;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.plugins.ClassPathPlugins;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.plugins.PluginsService;
import org.elasticsearch.plugins.RootPlugin;
import org.elasticsearch.transport.netty4.Netty4Plugin;

/**
 * Runs the server on plain class-path jars, without the distribution's launcher and modules.
 *
 * The one argument is the home directory; settings are read from config/elasticsearch.yml in it.
 * It lives in this package because the constructor it needs is visible here only.
 */
public final class CoreNode {
    private static final long CLOSE_LIMIT_SECONDS = 15;

    private CoreNode() {}

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]);
        LogConfigurator.registerErrorListener();
        BootstrapInfo.init();
        Environment environment = environment(home);
        LogConfigurator.setNodeName(Node.NODE_NAME_SETTING.get(environment.settings()));
        LogConfigurator.configureWithoutConfig(environment.settings());

        PluginsLoader nothingFromDisk = PluginsLoader.createPluginsLoader(Set.of(), Set.of(), Map.of(), false);
        Node node = new Node(NodeConstruction.prepareConstruction(environment, nothingFromDisk, new Services(), true));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node), "close"));
        node.start();
        new CountDownLatch(1).await();
    }

    private static Environment environment(Path home) {
        Settings settings = Settings.builder().put(Environment.PATH_HOME_SETTING.getKey(), home.toString()).build();
        return InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "core");
    }

    private static void close(Node node) {
        PrintStream log = System.err;
        try {
            node.prepareForClose();
            node.close();
            node.awaitClose(CLOSE_LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception failure) {
            failure.printStackTrace(log);
        }
    }

    /** Gives the node its plug-ins as classes; what the distribution keeps in modules is left out. */
    private static final class Services extends NodeServiceProvider {
        @Override
        PluginsService newPluginService(Environment environment, PluginsLoader loader) {
            return ClassPathPlugins.of(environment, loader, List.of(Netty4Plugin.class, RootPlugin.class));
        }
    }
}
