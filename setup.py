"""Builds the compiled core; everything else is in pyproject.toml.

Environment:
    KPM_WERROR=1                       warnings are errors (GCC and Clang)
    KPM_SANITIZE=address,undefined     sanitizers; assertions are live. Also: thread
    KPM_COVERAGE=1                     gcov instrumentation, little optimisation
    KPM_BUILD_JOBS=n                   compile n files at a time (default: one a core)
"""

import os
import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pybind11
from pybind11.setup_helpers import ParallelCompile
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"]


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


def enabled(variable: str) -> bool:
    return os.environ.get(variable, "") not in ("", "0")


class BuildCore(build_ext):
    """Adds the flags, which depend on the compiler that setuptools picked."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.force = True  # flags come from the environment: objects of another build are stale

    def build_extension(self, ext: Extension) -> None:
        ext.define_macros.append(("KPM_VERSION", f'"{self.distribution.get_version()}"'))
        system = [pybind11.get_include(), eigen_include(), sysconfig.get_path("include")]
        if self.compiler.compiler_type == "msvc":
            self._msvc(ext, system)
        else:
            self._unix(ext, system)
        super().build_extension(ext)

    @staticmethod
    def _msvc(ext: Extension, system: list[str]) -> None:
        flags = ["/std:c++17", "/O2", "/EHsc", "/fp:precise", "/bigobj", "/utf-8", "/external:W0"]
        for directory in system:
            flags += ["/external:I", directory]
        ext.define_macros.append(("NDEBUG", None))
        ext.extra_compile_args = [*flags, f'/DKPM_FLAGS="{" ".join(flags[:4])}"']

    @staticmethod
    def _unix(ext: Extension, system: list[str]) -> None:
        # Contraction off: the same bits with and without fused multiply-add.
        flags = ["-std=c++17", "-ffp-contract=off", "-fvisibility=hidden", "-pthread"]
        link = ["-pthread"]
        sanitizers, coverage = os.environ.get("KPM_SANITIZE", ""), enabled("KPM_COVERAGE")
        if coverage:
            # Quick to compile; without inlining the tests would take hours.
            flags += ["-O1", "-finline-small-functions", "-finline-functions", "-g1", "-UNDEBUG"]
        elif sanitizers:
            flags += ["-O2", "-g1", "-UNDEBUG"]
        else:
            flags += ["-O3", "-g0", "-DNDEBUG"]
        if sanitizers:
            flags += [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
            # Eigen leaves new arrays as they are: make a read before the first write show.
            flags += ["-fno-omit-frame-pointer", "-DEIGEN_INITIALIZE_MATRICES_BY_NAN"]
            link += [f"-fsanitize={sanitizers}"]
        if coverage:
            # A count that two threads lose between them leaves the line covered.
            flags += ["--coverage", "-fprofile-update=single"]
            link += ["--coverage"]
        stated = " ".join(flags)
        if enabled("KPM_WERROR"):
            flags += WARNINGS
        for directory in system:
            flags += ["-isystem", directory]
        ext.define_macros.append(("KPM_FLAGS", f'"{stated}"'))
        ext.extra_compile_args = flags
        ext.extra_link_args = link


def core() -> Extension:
    def relative(pattern: str) -> list[str]:
        return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern))

    return Extension(
        "kpm_fast._core",
        sources=[*relative("csrc/src/**/*.cpp"), *relative("csrc/python/*.cpp")],
        depends=relative("csrc/**/*.hpp"),
        include_dirs=["csrc/include", "csrc/src"],
        define_macros=[("EIGEN_MPL2_ONLY", None)],
        language="c++",
    )


if __name__ == "__main__":
    ParallelCompile("KPM_BUILD_JOBS").install()
    setup(ext_modules=[core()], cmdclass={"build_ext": BuildCore})
