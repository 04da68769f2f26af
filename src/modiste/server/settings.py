"""How to serve: what `modiste serve` is told by its options, the environment and `modiste.toml`, in that order."""

from __future__ import annotations

import json
import re
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource
from pydantic_settings import SettingsConfigDict as SourcesConfig

from modiste.errors import BadOption

CONFIG_FILE = "modiste.toml"
CONFIG_TABLE = "serve"
ENV_PREFIX = "MODISTE_"
ORIGIN_PATTERN = re.compile(
    r"https?://(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?|https?://\[[0-9a-fA-F:]+\](:\d{1,5})?"
)
KEY_HASH_PATTERN = re.compile(r"sha256:[0-9a-f]{64}")


def _split_commas(value: Any) -> Any:
    """A text of several, parted by commas, as the environment has it."""
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


StringList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_commas)]
Rate = Annotated[float, Field(gt=0.0, le=1e6)]


class Settings(BaseModel):
    """Everything that can be said of a server; none of it is needed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    host: str = Field(default="127.0.0.1", description="The address to serve at.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port; 0 takes a free one.")
    threads: int = Field(default=2, ge=1, le=64, description="How many pictures are drawn at once.")
    allow_embed: StringList = Field(default=(), description="Origins that may show /embed in a frame.")
    allow_origins: StringList = Field(
        default=(), description="Origins whose pages may ask the API (CORS); none unless named."
    )
    trusted_proxies: StringList = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted.",
    )
    admin_key: str = Field(
        default="", description="The hash of the key that may change the shop, as `modiste key` gives it."
    )
    read_key: str = Field(default="", description="The hash of the key that may only look at /v1/admin.")
    frames_per_second: Rate = Field(
        default=120.0, description="Frames that a client may ask for; twice that at once."
    )
    answers_per_second: Rate = Field(
        default=20.0, description="Questions that a client may ask; twice that at once."
    )
    uploads_per_minute: Rate = Field(
        default=30.0, description="Photos and animations of a client; a third of that at once."
    )
    others_per_second: Rate = Field(
        default=200.0, description="Everything else, thumbnails mostly; twice that at once."
    )
    queue: int = Field(
        default=64, ge=1, le=100_000, description="How many may wait for each kind of work; others get 503."
    )
    deadline: float = Field(
        default=20.0, ge=0.1, le=3600.0, description="Seconds for a request, its body included."
    )
    patience: float = Field(
        default=10.0, ge=0.1, le=3600.0, description="Seconds to wait for the head of a request."
    )
    connections: int = Field(
        default=512, ge=1, le=100_000, description="Connections at once; others get 503."
    )
    ray: str = Field(
        default="",
        description="The Ray cluster whose shards look for products; the server does where there is none.",
    )
    log: Literal["text", "json"] = Field(
        default="text", description="json writes a line per request; text only what fails."
    )
    frame_memory: int = Field(default=24_000_000, ge=0, description="Bytes of drawn frames kept in memory.")
    photo_memory: int = Field(
        default=24_000_000, ge=0, description="Bytes of photos and thumbnails kept in memory."
    )

    SECRET_FIELDS: ClassVar[tuple[str, ...]] = ("admin_key", "read_key")

    @field_validator("allow_embed", "allow_origins")
    @classmethod
    def _check_origins(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            if not ORIGIN_PATTERN.fullmatch(each):
                raise ValueError(
                    f"{each!r} is not an origin: write https://shop.example, or https://*.shop.example for all below it"
                )
        return given

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            ip_network(each)  # a ValueError says what is wrong with it
        return given

    @field_validator("admin_key", "read_key")
    @classmethod
    def _check_key_hash(cls, given: str) -> str:
        if given and not KEY_HASH_PATTERN.fullmatch(given):
            # Never said back: it may be the key itself.
            raise ValueError(
                "this is not the hash of a key: make one with `modiste key`, and give what it calls hash"
            )
        return given

    def redacted(self) -> dict[str, Any]:
        """All settings, without the hashes of keys."""
        held = self.model_dump(mode="json")
        return held | {name: "(set)" for name in self.SECRET_FIELDS if held[name]}

    def to_toml(self) -> str:
        """All settings as `modiste.toml` has them."""
        lines = [
            f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in self.redacted().items()
        ]
        return "\n".join([f"[{CONFIG_TABLE}]", *lines, ""])


def load_settings(file: Path | None = None, **given: Any) -> Settings:
    """The settings: `given` where not None, then the environment's MODISTE_*, then the file's table [serve].

    Args:
        file: None is `modiste.toml` in the working directory, if there is one.

    Raises:
        BadOption: a setting is unknown or cannot be; the file cannot be read.
    """
    table = _read_table(file)

    class Sourced(Settings, BaseSettings):
        model_config = SourcesConfig(env_prefix=ENV_PREFIX, extra="forbid", frozen=True, allow_inf_nan=False)  # pyright: ignore[reportIncompatibleVariableOverride]

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=table)

    try:
        found = Sourced(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise BadOption(
            "; ".join(f"{_dotted_path(each['loc'])}: {each['msg']}" for each in error.errors()[:5]) + ".",
            remedy=f"Correct the option --NAME, the variable {ENV_PREFIX}NAME, or NAME in "
            f"[{CONFIG_TABLE}] of {CONFIG_FILE}.",
        ) from None
    return Settings(**found.model_dump())


def _dotted_path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _read_table(file: Path | None) -> dict[str, Any]:
    path = Path(CONFIG_FILE) if file is None else file
    if file is None and not path.is_file():
        return {}
    remedy = f"Write its settings into a table [{CONFIG_TABLE}], as `modiste serve --print-config` does."
    try:
        held: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadOption(f"{path} cannot be read: {error}.", remedy=remedy) from None
    if set(held) - {CONFIG_TABLE} or not isinstance(held.get(CONFIG_TABLE, {}), dict):
        raise BadOption(f"{path} has {', '.join(held)}.", remedy=remedy)
    return cast("dict[str, Any]", held.get(CONFIG_TABLE, {}))
