"""Libraries that only the instrument needs: an extra of the package, so that a listener's computer does without."""

from __future__ import annotations

from importlib.util import find_spec

from voice.errors import BacktalkError


def require(purpose: str, extra: str, *modules: str) -> None:
    """Raises BacktalkError that names what to install when one of `modules` is missing."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise BacktalkError(
            f"To {purpose}, please install the extra {extra}: pip install 'backtalk[{extra}]'.",
            f"not installed: {', '.join(missing)}",
        )
