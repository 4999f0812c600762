"""The house: rooms import one way, folders of JSON hold no Python, names are exported in order."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import analyzers
import collectors

ROOT = Path(__file__).parents[2]
ROOMS = ("collectors", "analyzers", "scripts", "tests")
INNER = ("windows", "results", "metrics", "intervals", "store", "job", "drift", "watches", "board")


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    return found | {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_rooms_before_it(room: str) -> None:
    later = ROOMS[ROOMS.index(room) + 1 :]

    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / room).rglob("*.py")
        for name in imported(path)
        if name.split(".")[0] in later
    ]

    assert wrong == []


def test_statistics_know_no_engine() -> None:
    pure = ("drift/psi", "drift/ks", "drift/verdict", "performance/classification", "intervals")

    for name in pure:
        known = imported(ROOT / "analyzers" / f"{name}.py")
        assert not [n for n in known if n.startswith(("elasticsearch", "analyzers.store"))]


@pytest.mark.parametrize("folder", ["elasticsearch", "kibana"])
def test_folders_named_like_the_client_hold_no_python(folder: str) -> None:
    assert list((ROOT / folder).rglob("*.py")) == []


def test_the_client_is_the_installed_one() -> None:
    found = importlib.util.find_spec("elasticsearch")

    assert found is not None
    assert "site-packages" in str(found.origin)


def modules() -> list[str]:
    roots = (collectors, analyzers)
    return [m.name for r in roots for m in pkgutil.walk_packages(r.__path__, f"{r.__name__}.")]


@pytest.mark.parametrize("name", modules())
def test_exports_exist_and_are_sorted(name: str) -> None:
    module = importlib.import_module(name)
    exported = list(getattr(module, "__all__", []))

    assert module.__doc__, "a module says what it is for"
    assert exported == sorted(exported, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    assert [n for n in exported if not hasattr(module, n)] == []


def test_a_service_imports_little() -> None:
    code = (
        "import sys, psutil, collectors;"
        "heavy = {'numpy', 'pandas', 'scipy', 'elasticsearch', 'requests'} & set(sys.modules);"
        "print(sorted(heavy), psutil.Process().memory_info().rss)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, size = out.stdout.rsplit(maxsplit=1)

    assert heavy == "[]"
    assert int(size) <= 40 * 2**20


def test_the_wheel_holds_two_packages_and_the_assets(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    tops = {n.split("/")[0] for n in names if ".dist-info/" not in n}
    assert tops == {"collectors", "analyzers"}
    assert "analyzers/_assets/elasticsearch/index_templates/vigie-inference.json" in names
    assert "analyzers/watches/rules.yaml" in names
    assert "analyzers/board/static/board.css" in names
    assert "collectors/py.typed" in names
