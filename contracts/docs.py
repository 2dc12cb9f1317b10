"""Makes `docs/contracts.md` from the contracts themselves, so that the page cannot say anything else."""

import inspect
from collections.abc import Iterator
from enum import StrEnum
from types import ModuleType
from typing import cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from contracts import (
    content_events,
    errors,
    events,
    feedback_events,
    item_tower,
    live_events,
    names,
    packed_vector,
    payload,
    redis_keys,
    settings,
)
from contracts.schema import Column, Table
from contracts.tables import DERIVED_TABLES, RAW_TABLES

_INTRODUCTION = """# Contracts

Made from `contracts/` by `python -m contracts docs`; a test fails when it is stale. Do not edit it by hand.
Every table is partitioned by `dt`, the platform's day. Its files lie under
`<home>/warehouse/<table>/dt=<day>/current/*.parquet`; Hive knows it as `streamrec.<table>`.
"""


def render() -> str:
    """The whole page as Markdown."""
    sections = [
        _INTRODUCTION,
        "## Tables that importers and streams write\n",
        *(_table(table) for table in RAW_TABLES),
        "## Tables that jobs and models compute\n",
        *(_table(table) for table in DERIVED_TABLES),
        "## List payload\n",
        f"{inspect.getdoc(payload)}\n",
        "## Packed user vector\n",
        f"{inspect.getdoc(packed_vector)}\n",
        "## Item tower\n",
        f"{inspect.getdoc(item_tower)}\n",
        "## Events\n",
        f"{inspect.getdoc(events)}\n",
        *(_event(kind) for module in (feedback_events, live_events, content_events) for kind in _events_of(module)),
        "## Redis keys\n",
        f"{inspect.getdoc(redis_keys)}\n",
        _redis_keys(),
        "## Names\n",
        *(_enumeration(value) for value in _own_classes(names, StrEnum)),
        _constants(names),
        "## Settings\n",
        f"{inspect.getdoc(settings)}\n",
        *_settings(),
        "## Errors\n",
        f"{inspect.getdoc(errors)}\n",
        *_errors(),
    ]
    return "\n".join(sections).rstrip() + "\n"


def _table(table: Table) -> str:
    keep = f"{table.retention_days} days" if table.retention_days else "for ever"
    key = ", ".join(f"`{name}`" for name in table.key) or "none"
    head = f"### {table.name}\n\n{table.doc}\n\nWritten by `{table.owner}`; key {key}; kept {keep}.\n"
    rows = "\n".join(_column(column) for column in table.columns)
    return f"{head}\n| column | type | unit | null | meaning |\n|---|---|---|---|---|\n{rows}\n"


def _column(column: Column) -> str:
    return f"| {column.name} | {column.type} | {column.unit} | {'yes' if column.nullable else ''} | {column.doc} |"


def _events_of(module: ModuleType) -> list[type]:
    """The events that are sent; what several of them share is none."""
    kinds = list(_own_classes(module, BaseModel))
    return [kind for kind in kinds if not any(kind in other.__mro__[1:] for other in kinds)]


def _event(kind: type) -> str:
    fields = cast(type[BaseModel], kind).model_fields.items()
    names = ", ".join(f"`{name}`" if field.is_required() else f"`{name}`?" for name, field in fields)
    meaning = (inspect.getdoc(kind) or "").partition("\n\nArgs:")[0]
    return f"**{kind.__name__}** — {meaning} {names}\n"


def _redis_keys() -> str:
    rows = []
    for name, builder in inspect.getmembers(redis_keys, inspect.isfunction):
        if name != redis_keys.bucket_of.__name__:
            # Builders only format their arguments, so parameter names show where the values go.
            key = builder(*(parameter.upper() for parameter in inspect.signature(builder).parameters))
            rows.append(f"| `{key}` | {inspect.getdoc(builder)} |")
    constants = (
        redis_keys.GENERATION_POINTER,
        redis_keys.GENERATION_HISTORY,
        redis_keys.LEARNER,
        redis_keys.READER_SCRIPT,
        *redis_keys.LIVE,
        *redis_keys.CONTENT,
    )
    pointers = f"Pointers: {', '.join(f'`{key}`' for key in constants)}.\n"
    return "\n".join(["| key | meaning |", "|---|---|", *rows, "", pointers])


def _own_classes(module: ModuleType, base: type) -> Iterator[type]:
    for value in vars(module).values():
        if inspect.isclass(value) and issubclass(value, base) and value.__module__ == module.__name__:
            yield value


def _enumeration(kind: type) -> str:
    values = ", ".join(f"`{member.value}`" for member in kind)  # type: ignore[attr-defined]
    return f"**{kind.__name__}** — {inspect.getdoc(kind)} {values}\n"


def _constants(module: ModuleType) -> str:
    rows = [f"| {key} | `{value}` |" for key, value in vars(module).items() if key.isupper() and isinstance(value, str)]
    return "\n".join(["| name | value |", "|---|---|", *rows, ""])


def _settings() -> Iterator[str]:
    yield _setting_rows("STREAMREC_", settings.Settings)
    for name, field in settings.Settings.model_fields.items():
        if _is_section(field):
            kind = cast(type[BaseModel], field.annotation)
            yield f"### {name}\n\n{inspect.getdoc(kind)}\n"
            yield _setting_rows(f"STREAMREC_{name.upper()}__", kind)


def _setting_rows(prefix: str, model: type[BaseModel]) -> str:
    rows = [
        f"| `{prefix}{name.upper()}` | {_default(field)} | {field.description or ''} |"
        for name, field in model.model_fields.items()
        if not _is_section(field)
    ]
    return "\n".join(["| setting | default | why |", "|---|---|---|", *rows, ""])


def _is_section(field: FieldInfo) -> bool:
    return inspect.isclass(field.annotation) and issubclass(field.annotation, settings.Section)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    return "none" if value is None else f"`{_plain(value)}`"


def _plain(value: object) -> object:
    """Values as one would write them in TOML or JSON, not as Python shows them."""
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(mode="json"))
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, StrEnum) else value


def _errors() -> Iterator[str]:
    for error in _own_classes(errors, Exception):
        yield f"- `{error.__name__}`: {inspect.getdoc(error)}"
