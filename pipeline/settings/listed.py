"""Settings whose form depends on a name in a registry: the parts that params.yaml composes a method or a set of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, create_model
from pydantic.json_schema import JsonSchemaValue
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
        return core_schema.no_info_after_validator_function(self._listed, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": list(self.registry)}

    def _listed(self, name: str) -> str:
        if name not in self.registry:
            *others, last = self.registry
            expected = f"{', '.join(others)} or {last}" if others else last
            raise PydanticKnownError("literal_error", {"expected": expected})
        return name


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

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The form of each kind behind a condition on its name, so that an editor offers that kind's keys alone."""
        kinds: list[JsonSchemaValue] = []
        for name in self.registry:
            named: JsonSchemaValue = {"properties": {self.key: {"const": name}}, "required": [self.key]}
            if name == self.default:
                named = {"anyOf": [named, {"not": {"required": [self.key]}}]}
            kinds.append({"if": named, "then": self._form(name, handler)})
        names = {self.key: {"enum": list(self.registry)}}
        return {"type": "object", "properties": names, "required": [] if self.default else [self.key], "allOf": kinds}

    def _form(self, name: str, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        section: type[Section] = self.registry[name]
        form = section.__get_pydantic_json_schema__(section.__pydantic_core_schema__, handler)
        chosen = handler.resolve_ref_schema(form)["properties"][self.key]
        chosen |= {"const": name, "description": "chooses; the other settings here are this one's own"}
        return form

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

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        options = {
            name: section.__get_pydantic_json_schema__(section.__pydantic_core_schema__, handler)
            for name, section in self.registry.items()
        }
        return {"type": "object", "properties": options, "additionalProperties": False}

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
