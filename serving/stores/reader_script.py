"""The script that reads lists for clients in other languages (`serving/lua/read_list.lua`)."""

from importlib.resources import files


def reader_script() -> str:
    """Its text."""
    return files("serving").joinpath("lua", "read_list.lua").read_text(encoding="utf-8")
