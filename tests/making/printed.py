"""Examples of documents, run as they are printed."""

import ast
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import spikeloom


def run_printed(code, **supplied):
    """Run an example, and return the names that it leaves behind.

    What it speaks of without making it is `supplied`, or a public name of the package.
    """
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    names = {name: getattr(spikeloom, name) for name in used & set(dir(spikeloom))}
    names |= {"si": spikeloom, "np": np, "Path": Path, **supplied}
    exec(compile(code, "printed example", "exec"), names)
    return SimpleNamespace(**names)
