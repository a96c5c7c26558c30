"""What Temporal knows of the activities that the code defines."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any


def name_of(activity: Callable[..., Any]) -> str:
    """The name that `@activity.defn` gave it."""
    definition = getattr(activity, "__temporal_activity_definition", None)
    assert definition is not None, f"{activity} has no @activity.defn"
    return str(definition.name)


def activity_names(package: ModuleType) -> list[str]:
    """Of every method in the package's classes that is an activity."""
    found: dict[Callable[..., Any], str] = {}
    for file in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{file.name}")
        for _, kept in inspect.getmembers(module, inspect.isclass):
            for _, method in inspect.getmembers(kept, inspect.isfunction):
                if hasattr(method, "__temporal_activity_definition"):
                    found[method] = name_of(method)
    return list(found.values())
