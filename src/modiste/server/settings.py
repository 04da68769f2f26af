"""Settings of `modiste serve`: from its options, the environment and `modiste.toml`, in this order."""

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
    """Split a text at commas, which is how the environment gives a list."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


StringList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_commas)]
Rate = Annotated[float, Field(gt=0.0, le=1e6)]


class Settings(BaseModel):
    """All settings of a server. Each has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port; 0 takes a free one.")
    threads: int = Field(default=2, ge=1, le=64, description="How many frames are drawn at the same time.")
    allow_embed: StringList = Field(default=(), description="Origins that may show /embed in an iframe.")
    allow_origins: StringList = Field(default=(), description="Origins whose pages may call the API (CORS).")
    trusted_proxies: StringList = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted.",
    )
    admin_key: str = Field(
        default="", description="Hash of the key that may change the shop; `modiste key` creates it."
    )
    read_key: str = Field(default="", description="Hash of the key that may read /v1/admin, but not change the shop.")
    frames_per_second: Rate = Field(
        default=120.0, description="Frames that a client may request; bursts of twice as many."
    )
    queries_per_second: Rate = Field(
        default=20.0, description="Searches and recommendations of a client; bursts of twice as many."
    )
    uploads_per_minute: Rate = Field(default=30.0, description="Photos and animations of a client; bursts of a third.")
    others_per_second: Rate = Field(
        default=200.0, description="All other requests of a client, mostly thumbnails; bursts of twice as many."
    )
    queue: int = Field(
        default=64, ge=1, le=100_000, description="Requests that may wait for each thread pool; further ones get 503."
    )
    deadline: float = Field(
        default=20.0, ge=0.1, le=3600.0, description="Seconds until a request, its body included, is ended with 503."
    )
    header_timeout: float = Field(
        default=10.0, ge=0.1, le=3600.0, description="Seconds to wait for a request's headers."
    )
    connections: int = Field(
        default=512, ge=1, le=100_000, description="Connections at the same time; further ones get 503."
    )
    ray: str = Field(
        default="", description="Address of the Ray cluster whose shards search; if empty, this process searches."
    )
    log: Literal["text", "json"] = Field(
        default="text", description="`json` logs a line per request, `text` only warnings and errors."
    )
    frame_memory: int = Field(default=24_000_000, ge=0, description="Bytes of frames cached in memory.")
    photo_memory: int = Field(default=24_000_000, ge=0, description="Bytes of photos and thumbnails cached in memory.")

    SECRET_FIELDS: ClassVar[tuple[str, ...]] = ("admin_key", "read_key")

    @field_validator("allow_embed", "allow_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if not ORIGIN_PATTERN.fullmatch(each):
                raise ValueError(
                    f"{each!r} is not an origin: write https://shop.example, or https://*.shop.example for subdomains"
                )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            ip_network(each)  # its ValueError names the problem
        return value

    @field_validator("admin_key", "read_key")
    @classmethod
    def _check_key_hash(cls, value: str) -> str:
        if value and not KEY_HASH_PATTERN.fullmatch(value):
            # Not quoted: it may be the key itself.
            raise ValueError("this is not the hash of a key: `modiste key` creates a key and its hash")
        return value

    def redacted(self) -> dict[str, Any]:
        """Return all settings, without the hashes of keys."""
        values = self.model_dump(mode="json")
        return values | {name: "(set)" for name in self.SECRET_FIELDS if values[name]}

    def to_toml(self) -> str:
        """Return all settings in the format of `modiste.toml`."""
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in self.redacted().items()]
        return "\n".join([f"[{CONFIG_TABLE}]", *lines, ""])


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Load settings: `overrides` that are not None, then MODISTE_* of the environment, then table [serve] of the file.

    Without a `file`, `modiste.toml` in the working directory is read, if it exists. Raises BadOption if a setting is
    unknown or invalid, or the file cannot be read.
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
        loaded = Sourced(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise BadOption(
            "; ".join(f"{_dotted_path(each['loc'])}: {each['msg']}" for each in error.errors()[:5]) + ".",
            remedy=f"Correct the option --NAME, the variable {ENV_PREFIX}NAME, or NAME in "
            f"[{CONFIG_TABLE}] of {CONFIG_FILE}.",
        ) from None
    return Settings(**loaded.model_dump())


def _dotted_path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _read_table(file: Path | None) -> dict[str, Any]:
    path = Path(CONFIG_FILE) if file is None else file
    if file is None and not path.is_file():
        return {}
    remedy = f"Write the settings into a table [{CONFIG_TABLE}], as `modiste serve --print-config` does."
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadOption(f"{path} cannot be read: {error}.", remedy=remedy) from None
    if set(tables) - {CONFIG_TABLE} or not isinstance(tables.get(CONFIG_TABLE, {}), dict):
        raise BadOption(f"{path} has {', '.join(tables)} at its top level.", remedy=remedy)
    return cast("dict[str, Any]", tables.get(CONFIG_TABLE, {}))
