"""Builds the compiled core with CMake (csrc/CMakeLists.txt); everything else is in pyproject.toml.

Environment:
    KPM_WERROR=1                       warnings are errors (GCC and Clang)
    KPM_SANITIZE=address,undefined     sanitizers; assertions are live. Also: thread
    KPM_COVERAGE=1                     gcov instrumentation, little optimisation
    KPM_BUILD_JOBS=n                   compile n files at a time (default: one per core)
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pybind11
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
#: Folders of the package that CMake installs.
_INSTALLED = ("include", "lib")
#: What CMake reads when it first sees a folder, and then never again.
_TOOLS = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "MACOSX_DEPLOYMENT_TARGET", "ARCHFLAGS")


def eigen_include() -> str:
    """The directory that holds ``Eigen/Core`` in the installed cmeel-eigen."""
    try:
        files = distribution("cmeel-eigen").files or []
    except PackageNotFoundError as error:
        raise RuntimeError("building kpm_fast needs the package cmeel-eigen") from error
    for file in files:
        if file.parts[-2:] == ("Eigen", "Core"):
            return str(Path(str(file.locate())).resolve().parent.parent)
    raise RuntimeError("the installed cmeel-eigen has no Eigen/Core")


def cmake(
    source: Path,
    folder: Path,
    options: dict[str, str],
    target: str,
    *,
    compiler: str = "",
    quiet: bool = False,
) -> None:
    """Configure a folder and build a target in it; what is up to date there is kept.

    Without a compiler it is the one that CXX names, or CMake's choice.

    Raises
    ------
    RuntimeError
        If CMake is missing, or fails; with what it said, if it was to be quiet.
    """
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    settings = [f"-D{name}={value}" for name, value in options.items()]
    jobs = os.environ.get("KPM_BUILD_JOBS", "") or str(os.cpu_count() or 1)
    variables = {"CXX": compiler} if compiler else {}
    run_cmake(["-S", str(source), "-B", str(folder), *generator, *settings], quiet, variables)
    build = ["--build", str(folder), "--config", "Release", "--parallel", jobs]
    run_cmake([*build, "--target", target], quiet, variables)


def run_cmake(arguments: list[str], quiet: bool, variables: dict[str, str] | None = None) -> None:
    """Run CMake, and raise RuntimeError with what it said if it was to be quiet."""
    program = shutil.which("cmake")
    if program is None:
        raise RuntimeError("building the core needs the package cmake")
    done = subprocess.run(
        [program, *arguments],
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
        env={**os.environ, **(variables or {})},
    )
    if done.returncode:
        raise RuntimeError(f"cmake {' '.join(arguments)}\n{done.stdout or ''}")


def enabled(variable: str) -> str:
    return "OFF" if os.environ.get(variable, "") in ("", "0") else "ON"


class BuildCore(build_ext):
    """Leaves the extension to CMake, in a folder for each compiler, Python and set of flags."""

    def run(self) -> None:
        """Build; setuptools builds in place by a copy, and does not say so to what follows."""
        self.of_checkout = bool(self.inplace or self.editable_mode)
        super().run()

    def build_extension(self, ext: Extension) -> None:
        options = {
            "KPM_BUILD_PYTHON": "ON",
            "KPM_BUILD_TESTS": "OFF",
            "KPM_WERROR": enabled("KPM_WERROR"),
            "KPM_COVERAGE": enabled("KPM_COVERAGE"),
            "KPM_SANITIZE": os.environ.get("KPM_SANITIZE", ""),
            "KPM_EIGEN": eigen_include(),
            "Python_EXECUTABLE": sys.executable,
            "pybind11_DIR": pybind11.get_cmake_dir(),
        }
        options["CMAKE_INSTALL_LIBDIR"] = "lib"  # wherever it is built, the package's layout is one
        tools = [f"{name}={os.environ.get(name, '')}" for name in _TOOLS]
        key = "\0".join([*tools, *map(str, options.items())])
        # A checkout is profiled, a wheel is downloaded: the same objects, linked in another way.
        options["KPM_STRIP"] = "OFF" if self.of_checkout else "ON"
        temporary = Path(self.build_temp).resolve()
        if self.editable_mode and Path(options["KPM_EIGEN"]).is_relative_to(
            Path(sys.prefix).resolve()
        ):
            # That is deleted; what is compiled without build isolation, whose folders have another
            # name each time, is a wheel's, too.
            temporary = ROOT / "build" / f"temp.{self.plat_name}-{sys.implementation.cache_tag}"
        folder = temporary / hashlib.sha256(key.encode()).hexdigest()[:12]
        quiet = self.verbose < 1
        cmake(ROOT / "csrc", folder, options, "kpm_package", quiet=quiet)
        built = [*folder.rglob("_core*.so"), *folder.rglob("_core*.pyd")]
        if len(built) != 1:
            raise RuntimeError(f"{folder} holds {len(built)} extensions: {[*map(str, built)]}")
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not written over: a process that has the old one loaded would see it change.
        target.unlink(missing_ok=True)
        shutil.copy2(built[0], target)
        # The library for C, its header, and what CMake and pkg-config ask for.
        package = target.parent
        for stale in _INSTALLED:
            shutil.rmtree(package / stale, ignore_errors=True)
        where = ["--prefix", str(package), "--component", "kpm"]
        if sys.platform == "win32" and not shutil.which("ninja"):
            where += ["--config", "Release"]  # of several that the generator keeps side by side
        run_cmake(["--install", str(folder), *where], quiet)

    def copy_extensions_to_source(self) -> None:
        """Bring what was built into the checkout, for a build in place or an editable install."""
        super().copy_extensions_to_source()
        for name in _INSTALLED:
            built = Path(self.build_lib) / "kpm_fast" / name
            shutil.rmtree(ROOT / "kpm_fast" / name, ignore_errors=True)
            shutil.copytree(built, ROOT / "kpm_fast" / name)


class SmallWheel(bdist_wheel):
    """Compresses a wheel as far as deflate goes: it is made once and downloaded often."""

    def run(self) -> None:
        super().run()
        for command, _, name in self.distribution.dist_files:
            if command == "bdist_wheel":
                compress(Path(name))


def compress(wheel: Path) -> None:
    """Write the entries of an archive again, all else of them as it is."""
    small = wheel.with_suffix(".small")
    with zipfile.ZipFile(wheel) as given, zipfile.ZipFile(small, "w") as made:
        for entry in given.infolist():
            made.writestr(entry, given.read(entry), compresslevel=9)
    small.replace(wheel)


if __name__ == "__main__":
    setup(
        ext_modules=[Extension("kpm_fast._core", sources=[])],
        cmdclass={"build_ext": BuildCore, "bdist_wheel": SmallWheel},
    )
