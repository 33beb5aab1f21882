"""Builds the example: ``python setup.py build_ext --inplace``."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

import kpm_fast

# Where kpm_fast/kpm.pxd is found by itself, unless the install is an editable one.
declarations = Path(kpm_fast.__file__).parents[1]
folders = kpm_fast.get_library_dirs()
replay = Extension(
    "replay",
    ["replay.pyx"],
    include_dirs=[kpm_fast.get_include()],
    libraries=kpm_fast.get_libraries(),
    library_dirs=folders,
    runtime_library_dirs=folders,
)
setup(name="replay", ext_modules=cythonize([replay], include_path=[str(declarations)]))
