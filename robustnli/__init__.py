"""robustnli: find the word an NLI model leans on, mask it, and see what fine-tuning fixed and broke.

    from robustnli import attack, attribute, compare, load, mask, predict

These six are the public API, with the values of `robustnli.types` and the errors of `robustnli.errors`: docs/api.md. They are found when they
are first asked for, so that `import robustnli` costs nothing and loads no torch.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from robustnli.memory import few_kernels

if TYPE_CHECKING:
    from robustnli.api import attack, attribute, compare, load, mask, predict

__version__ = "0.1.0"
__all__ = ["__version__", "attack", "attribute", "compare", "load", "mask", "predict"]

few_kernels()  # here, since it counts only before torch is imported


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'robustnli' has no attribute {name!r}")
    from robustnli import api

    value = globals()[name] = getattr(api, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps `attack` and `compare` functions: an import of the modules of these names would bind them here in their stead.

    `from robustnli.attack import find` finds the modules as ever; docs/decisions/0004 tells why.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
