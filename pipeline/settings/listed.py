"""Settings whose form depends on a name in a registry: the parts that params.yaml composes a method or a set of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from pipeline.settings.registries import Registry
from pipeline.settings.sections import Section


@dataclass(frozen=True)
class OneOf:
    """Annotates text that has to be a name of a registry.

    Attributes:
        registry: whose names are taken.
    """

    registry: Registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.registry))


@dataclass(frozen=True)
class KindOf:
    """Annotates a mapping whose form is that of the registered class which one of its keys names.

    Attributes:
        registry: name to a `Section`.
        key: the setting that names it; the class takes it too.
        default: the name where the key is left out; "" for none.
    """

    registry: Registry
    key: str = "kind"
    default: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validated, serialization=_AS_PLAIN)

    def section(self, value: Mapping[str, Any]) -> type[Section] | None:
        """The class that a mapping names, None where it names none."""
        name = value.get(self.key, self.default)
        found: type[Section] | None = self.registry[name] if isinstance(name, str) and name in self.registry else None
        return found

    def _validated(self, value: object) -> Section:
        if isinstance(value, Section):
            return value
        if not isinstance(value, Mapping):
            raise PydanticKnownError("dict_type")
        found = self.section(value)
        if found is not None:
            return found.model_validate(value)
        discriminator = f"'{self.key}'"
        if self.key not in value:
            raise PydanticKnownError("union_tag_not_found", {"discriminator": discriminator})
        tags = {"tag": str(value[self.key]), "expected_tags": ", ".join(self.registry)}
        raise PydanticKnownError("union_tag_invalid", {"discriminator": discriminator, **tags})


@dataclass(frozen=True)
class OptionsOf:
    """Annotates a mapping of names in a registry to the settings of each.

    Attributes:
        registry: name to a `Section`.
    """

    registry: Registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validated, serialization=_AS_PLAIN)

    def _validated(self, value: object) -> dict[str, Section]:
        if not isinstance(value, Mapping):
            raise PydanticKnownError("dict_type")
        named: dict[str, Any] = {name: (self.registry[name], ...) for name in value if name in self.registry}
        checked = create_model("Options", __base__=Section, **named).model_validate(dict(value))
        return {name: getattr(checked, name) for name in self.registry if name in named}


def _plain(value: Any) -> Any:
    if isinstance(value, Section):
        return value.model_dump(mode="json")
    return {name: part.model_dump(mode="json") for name, part in value.items()}


_AS_PLAIN = core_schema.plain_serializer_function_ser_schema(_plain)
