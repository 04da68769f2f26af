"""Hugging Face data sets: Parquet files with the photos inside the rows, local or downloaded.

A data set is a folder of Parquet files whose photo column is a struct `{bytes, path}`; the class names of its label
columns are in the Parquet schema's metadata (key `huggingface`) or in the front matter of README.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from modiste.errors import MissingExtra, SourceError
from modiste.sources.normalize import make_category_reader, parse_attributes, reject_duplicates
from modiste.sources.readers import count_parquet_rows, read_parquet
from modiste.sources.record import PhotoRef, Record, Rejection

ClassNames = dict[str, list[str]]
"""Label column → the names of its classes, by number."""


class HuggingFaceSource:
    """Products of one Parquet file or a folder of them, all splits; id = column `id`, else file and row number.

    `root` is the data set's folder: ids, and photos kept outside the rows, are relative to it. Raises SourceError if no
    file has a photo column.
    """

    def __init__(self, root: Path, files: list[Path], *, category_column: str | None = None) -> None:
        self.root = root
        self.name = f"hub data set {root}"
        self._files = sorted(files)
        self._names = _read_readme_class_names(root)
        schemas = [_read_schema(file) for file in self._files]
        if not schemas or any(find_photo_column(schema) is None for schema in schemas):
            raise SourceError(
                f"The Parquet files of {root} have no column of photos (a struct of bytes and path).",
                remedy="Give a data set of images, or a table with a column `file_name` or `url`.",
            )
        self._chosen = category_column
        for schema in schemas:
            make_category_reader(schema.names, category_column, self.name)

    def count(self) -> int:
        """Return the number of rows in the files."""
        return sum(count_parquet_rows(file) for file in self._files)

    def records(self) -> Iterator[Record | Rejection]:
        """Yield every row, file by file; the photos come as bytes, so memory holds one batch of them."""
        return reject_duplicates(row for file in self._files for row in self._rows(file))

    def _rows(self, file: Path) -> Iterator[Record | Rejection]:
        schema = _read_schema(file)
        names = self._names | parse_class_names(schema)
        column = find_photo_column(schema)
        assert column is not None
        category_of = make_category_reader(schema.names, self._chosen, self.name)
        used = [column, "id"] + (["category"] if self._chosen is None else [])
        stem = file.relative_to(self.root).with_suffix("").as_posix()
        for number, row in read_parquet(file, batch_rows=256):
            if isinstance(row, str):
                yield Rejection(f"{stem}/{number}", "malformed_row", row, number)
                continue
            named = _with_class_names(row, names)
            key = named.get("id")
            product = f"{stem}/{number}" if key is None else str(key).strip()
            photo = self._parse_photo(row[column], file.parent)
            if photo is None:
                yield Rejection(product, "missing_photo", "the row has no photo", number)
                continue
            yield Record(product, category_of(named), photo, parse_attributes(named, without=used))

    def _parse_photo(self, value: Any, folder: Path) -> PhotoRef | None:
        """Return a row's photo: its bytes, or a file inside the data set's own folder."""
        if isinstance(value, bytes):
            return value or None
        cell = cast("Mapping[str, Any]", value or {})
        if cell.get("bytes"):
            return cast("bytes", cell["bytes"])
        if not cell.get("path"):
            return None
        try:
            path = (folder / str(cell["path"])).resolve()
            return path if path.is_relative_to(self.root.resolve()) and path.is_file() else None
        except (OSError, RuntimeError, ValueError):  # an invalid file name, or circular links
            return None


def find_parquet_files(folder: Path) -> list[Path]:
    """Return the Parquet files of a data set: in the folder, or one or two levels below."""
    paths = [*folder.glob("*.parquet"), *folder.glob("*/*.parquet"), *folder.glob("*/*/*.parquet")]
    return sorted(path for path in paths if not any(part.startswith(".") for part in path.parts))


def find_photo_column(schema: pa.Schema) -> str | None:
    """Return the column of photos: `image` if it is one, else the first that is; None without any."""
    columns = [field.name for field in schema if _is_photo_field(field, schema)]
    return "image" if "image" in columns else next(iter(columns), None)


def has_photo_column(file: Path) -> bool:
    """Return whether a Parquet file has a column of photos. Raises SourceError if the file cannot be read."""
    return find_photo_column(_read_schema(file)) is not None


def parse_class_names(schema: pa.Schema) -> ClassNames:
    """Return the class names in the schema's metadata."""
    features = _parse_features(schema)
    return {
        column: [str(name) for name in feature["names"]]
        for column, feature in features.items()
        if isinstance(feature, dict) and isinstance(feature.get("names"), list)
    }


def download_dataset(name: str) -> Path:
    """Download the data set `owner/name` (or `owner/name@revision`) unless it is cached, and return its folder.

    Raises MissingExtra if huggingface-hub is not installed and SourceError if the data set cannot be downloaded.
    """
    try:
        import huggingface_hub as hub
    except ImportError:
        raise missing_package(f"hf:{name}", "huggingface-hub") from None
    repository, _, revision = name.partition("@")
    try:
        files = hub.HfApi().list_repo_files(repository, repo_type="dataset", revision=revision or None)
        # only the Parquet files are read; without any, the whole data set is downloaded
        patterns = ["*.parquet", "README.md"] if any(file.endswith(".parquet") for file in files) else None
        folder = hub.snapshot_download(
            repository, repo_type="dataset", revision=revision or None, allow_patterns=patterns
        )
    except Exception as error:  # huggingface-hub's own, OSError, and those of its HTTP client
        raise SourceError(
            f"The data set hf:{name} cannot be downloaded: {error}",
            remedy="Check the name and the connection; a gated data set needs `hf auth login`.",
        ) from error
    return Path(folder)


def missing_package(source: str, package: str) -> MissingExtra:
    """Return the error for a source that needs the extra `hub`."""
    return MissingExtra(
        f"The source {source} needs {package}, which is not installed.",
        remedy="Install it: pip install 'modiste[hub]'.",
    )


def _read_schema(file: Path) -> pa.Schema:
    try:
        return pq.read_schema(file)
    except (OSError, ValueError, pa.ArrowException) as error:  # ValueError: a name that is not UTF-8
        raise SourceError(f"{file} is not a readable Parquet file: {error}.", remedy="Download it again.") from error


def _parse_features(schema: pa.Schema) -> dict[str, Any]:
    try:
        features: Any = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", features) if isinstance(features, dict) else {}


def _is_photo_field(field: pa.Field, schema: pa.Schema) -> bool:
    feature = _parse_features(schema).get(field.name)
    if pa.types.is_struct(field.type):
        types = {field.type.field(i).name: field.type.field(i).type for i in range(field.type.num_fields)}
        return "bytes" in types and _is_binary(types["bytes"])
    # plain bytes may be anything: a photo only if the data set's metadata or the column's name says so
    declared = isinstance(feature, dict) and cast("dict[str, Any]", feature).get("_type") == "Image"
    return _is_binary(field.type) and (declared or field.name in ("image", "photo"))


def _is_binary(data_type: pa.DataType) -> bool:
    return pa.types.is_binary(data_type) or pa.types.is_large_binary(data_type)


def _with_class_names(row: Mapping[str, Any], names: ClassNames) -> dict[str, Any]:
    """Replace label numbers by the names of their classes, and -1 (unlabelled) by None."""
    named = dict(row)
    for column, classes in names.items():
        number = row.get(column)
        if isinstance(number, int):
            named[column] = classes[number] if 0 <= number < len(classes) else None
    return named


def _read_readme_class_names(root: Path) -> ClassNames:
    """Return the class names in README.md's front matter; none without PyYAML, which the extra `hub` installs."""
    try:
        import yaml
    except ImportError:
        return {}
    try:
        _, front, _ = (root / "README.md").read_text("utf-8", errors="replace").split("---\n", 2)
        card: Any = yaml.safe_load(front)
        return _class_names_in_card(card["dataset_info"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, yaml.YAMLError):
        return {}


def _class_names_in_card(infos: Any) -> ClassNames:
    """Return class names by column from a card's `dataset_info`. Raises TypeError, KeyError, ValueError."""
    names: ClassNames = {}
    for info in infos if isinstance(infos, list) else [infos]:
        for feature in info.get("features", []) if isinstance(info, dict) else []:
            kind = feature.get("dtype") if isinstance(feature, dict) else None
            classes = kind.get("class_label", {}).get("names") if isinstance(kind, dict) else None
            if isinstance(classes, dict):
                names[str(feature["name"])] = [str(classes[key]) for key in sorted(classes, key=int)]
    return names
