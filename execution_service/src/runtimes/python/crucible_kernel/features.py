"""What this interpreter offers, as one line of JSON for the worker's start."""

import importlib.util
import json
import platform
import sys
from importlib import metadata

# Distribution name → import name, for the packages that a caller asks about.
_PACKAGES = {
    "IPython": "IPython",
    "beautifulsoup4": "bs4",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "opencv-python-headless": "cv2",
    "openpyxl": "openpyxl",
    "pandas": "pandas",
    "pillow": "PIL",
    "plotly": "plotly",
    "polars": "polars",
    "pyarrow": "pyarrow",
    "requests": "requests",
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "seaborn": "seaborn",
    "statsmodels": "statsmodels",
    "sympy": "sympy",
}


def print_features():
    """Prints version, implementation and the installed packages with their versions."""
    packages = {}
    for distribution, module in _PACKAGES.items():
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
        if importlib.util.find_spec(module) is not None:
            packages[distribution] = version
    print(json.dumps({
        "version": platform.python_version(),
        "implementation": sys.implementation.name,
        "packages": packages,
    }))
