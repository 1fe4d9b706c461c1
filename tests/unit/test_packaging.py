"""What is shipped: the wheel and the source archive have all that a user needs, and nothing that is in the way."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGES = {"cellctl": ROOT, "cellctl_drivers": ROOT / "drivers", "cellctl_sim": ROOT / "sim"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def build(what: str, source: Path, place: Path) -> Path:
    """The one archive that hatchling makes of a source tree, with no network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", what, "-d", str(place)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (archive,) = place.iterdir()
    return archive


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, which is what installing a pure one comes to."""
    place = tmp_path_factory.mktemp("site-packages")
    zipfile.ZipFile(wheel).extractall(place)
    return place


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, built and unpacked."""
    pytest.importorskip("hatchling")
    archive = build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))
    place = tmp_path_factory.mktemp("source")
    with tarfile.open(archive) as tar:
        tar.extractall(place, filter="data")
    (source,) = place.iterdir()
    return source


def files(place: Path) -> dict[str, bytes]:
    """Every shipped file below a directory: no caches, and nothing hidden."""
    return {
        path.relative_to(place).as_posix(): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def test_the_wheel_puts_three_packages_into_site_packages_and_nothing_else(installed: Path) -> None:
    metadata_directory = f"cellctl-{PROJECT['version']}.dist-info"
    assert {path.name for path in installed.iterdir()} == {*PACKAGES, metadata_directory}


def test_the_wheel_has_every_file_of_the_packages_and_the_recipes_as_they_are(installed: Path) -> None:
    for name, parent in PACKAGES.items():
        shipped = files(installed / name)
        recipes = {file: text for file, text in shipped.items() if file.startswith("recipes/")}
        assert shipped == files(parent / name) | recipes
    assert files(installed / "cellctl" / "recipes") == files(ROOT / "recipes")


def test_the_wheel_is_typed_and_licensed(installed: Path) -> None:
    assert all((installed / name / "py.typed").is_file() for name in PACKAGES)
    (licence,) = installed.glob("*.dist-info/licenses/LICENSE")
    assert licence.read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_every_entry_point_of_the_wheel_leads_into_the_wheel(installed: Path) -> None:
    (path,) = installed.glob("*.dist-info/entry_points.txt")
    found = configparser.ConfigParser()
    found.read(path)
    targets = {value for section in found.sections() for value in found[section].values()}
    assert len(targets) > 15
    code = "import importlib, sys\nfor target in sys.argv[1:]:\n    module, _, name = target.partition(':')\n"
    code += "    found = importlib.import_module(module)\n    name and getattr(found, name)\n    print(found.__file__)"
    places = run(installed, "-c", code, *sorted(targets)).splitlines()
    assert len(places) == len(targets)
    assert all(place.startswith(str(installed)) for place in places)


def test_commands_of_the_wheel_find_the_shipped_line_and_recipe_from_anywhere(installed: Path) -> None:
    checked = run(installed, "-m", "cellctl", "check", "puck")
    assert "2 files checked: all well" in checked
    assert "2 made" in run(installed, "-m", "cellctl", "sim", "puck", "--order", "sensor-puck/indoor:2")


def test_commands_of_the_wheel_find_the_examples_and_their_sub_recipe_from_anywhere(installed: Path) -> None:
    assert "3 files checked: all well" in run(installed, "-m", "cellctl", "check", "pallets")
    assert "1 made" in run(installed, "-m", "cellctl", "sim", "pallets", "--order", "ring/firm")


def run(installed: Path, *arguments: str) -> str:
    """Output of Python far from the checkout, with the unpacked wheel before all that is installed."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": ""}  # compiled once
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=installed.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_source_archive_has_what_building_testing_and_reading_need(unpacked: Path) -> None:
    for name in ("pyproject.toml", "Makefile", "README.md", "LICENSE", "CHANGELOG.md", ".ci/constraints.txt"):
        assert (unpacked / name).read_bytes() == (ROOT / name).read_bytes()
    for name in ("cellctl", "drivers", "sim", "recipes", "tests", "docs"):
        written = {file for file in files(ROOT / name) if file.endswith((".py", ".yaml", ".md"))}
        assert written <= set(files(unpacked / name)) <= set(files(ROOT / name))


def test_the_source_archive_has_no_environment_and_no_caches(unpacked: Path) -> None:
    hidden = {part for name in files(unpacked) for part in name.split("/") if part.startswith(".")}
    assert hidden <= {".ci", ".gitignore"}


def test_the_wheel_of_the_source_archive_is_that_of_the_checkout(
    unpacked: Path, installed: Path, tmp_path: Path
) -> None:
    again = zipfile.ZipFile(build("wheel", unpacked, tmp_path))
    assert {name: again.read(name) for name in again.namelist()} == files(installed)


# --- the tested versions ----------------------------------------------------------------------------------------

CONSTRAINTS = (ROOT / ".ci" / "constraints.txt").read_text("utf-8").splitlines()
PINS = {
    canonicalize_name(name): version for name, _, version in (line.partition("==") for line in CONSTRAINTS)
}
EXTRAS = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]


def test_constraints_are_plain_pins_each_once() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line) for line in CONSTRAINTS)
    assert len(PINS) == len(CONSTRAINTS)


@pytest.mark.parametrize("text", [*PROJECT["dependencies"], *EXTRAS])
def test_a_requirement_is_pinned_to_a_version_that_it_allows(text: str) -> None:
    requirement = Requirement(text)
    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_constraints_pin_all_that_installing_brings_and_nothing_else() -> None:
    needed: set[str] = set()
    seen: set[str] = set()
    ahead = [Requirement(text) for text in (*PROJECT["dependencies"], *EXTRAS)]
    while ahead:
        requirement = ahead.pop()
        if str(requirement) not in seen:
            seen.add(str(requirement))
            needed.add(canonicalize_name(requirement.name))
            ahead += brought_by(requirement)
    assert set(PINS) == needed


def brought_by(requirement: Requirement) -> list[Requirement]:
    """What a requirement requires in turn, here, in the tested version."""
    try:
        found = metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{requirement.name} is not installed")
    if found.version != PINS.get(canonicalize_name(requirement.name), found.version):
        pytest.skip(f"{requirement.name} {found.version} is installed, not the tested version")
    extras = ("", *requirement.extras)
    brought = [Requirement(text) for text in found.requires or ()]
    return [r for r in brought if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in extras)]
