package org.elasticsearch.plugins;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import org.elasticsearch.Build;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;

/** Plug-ins named as classes of the class path, where the server expects directories. */
public final class ClassPathPlugins extends PluginsService {
    private final List<LoadedPlugin> loaded;

    private ClassPathPlugins(Environment environment, PluginsLoader loader, List<LoadedPlugin> loaded) {
        super(environment.settings(), environment.configDir(), loader);
        this.loaded = loaded;
    }

    /** The service with exactly these plug-ins. */
    public static ClassPathPlugins of(Environment environment, PluginsLoader loader, List<Class<? extends Plugin>> classes) {
        List<LoadedPlugin> loaded = new ArrayList<>();
        for (Class<? extends Plugin> type : classes) {
            loaded.add(load(type, environment.settings(), environment.configDir()));
        }
        loadExtensions(loaded);
        return new ClassPathPlugins(environment, loader, List.copyOf(loaded));
    }

    private static LoadedPlugin load(Class<? extends Plugin> type, Settings settings, Path config) {
        String name = type.getName();
        String version = Build.current().version();
        String java = Integer.toString(Runtime.version().feature());
        PluginDescriptor descriptor = new PluginDescriptor(
            name, "a class of the class path", version, version, java, name, null, List.of(),
            false, false, false, false, PluginDescriptor.DeploymentTarget.ALL);
        return new LoadedPlugin(descriptor, loadPlugin(type, settings, config), type.getClassLoader());
    }

    @Override
    protected List<LoadedPlugin> plugins() {
        return loaded;
    }

    /** With one class loader for all plug-ins the same provider is found once for each: keep the first. */
    @Override
    public <T> List<? extends T> loadServiceProviders(Class<T> service) {
        Set<Class<?>> known = new HashSet<>();
        List<T> distinct = new ArrayList<>();
        for (T provider : super.loadServiceProviders(service)) {
            if (known.add(provider.getClass())) {
                distinct.add(provider);
            }
        }
        return distinct;
    }
}
