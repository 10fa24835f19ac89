"""What a page of Markdown asks its reader to do, in order: files to save, programs and commands to run."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from typer.testing import CliRunner

from crowdgym.cli.main import app


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str

    @property
    def saved_as(self) -> str | None:
        """The name of the file that it is to be saved as, which its first line is a comment of; None for the others."""
        name = re.match(r"# ([\w-]+\.(?:py|yaml))\n", self.text)
        return name.group(1) if name else None

    @property
    def commands(self) -> list[str]:
        """Its lines, if it is of a shell; a line that ends with a backslash goes on in the next."""
        return self.text.replace("\\\n", " ").splitlines() if self.language == "sh" else []


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(language, content) for language, content in found]


def run_crowdgym(command: str) -> str:
    """Run ``crowdgym``, given without its name; returns what it prints."""
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0, f"crowdgym {command}\n{result.output}"
    return result.stdout


def run_python(folder: Path, *words: str) -> str:
    """Run Python in a folder; returns what it prints."""
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def follow(page: str, folder: Path, shorter: Callable[[str], str]) -> dict[str, str]:
    """Do what a page says, in a folder that is the current one.

    Args:
        page: its text.
        folder: where files are saved and programs run.
        shorter: makes a command or a program short.

    Returns:
        What each command printed, by the command as the page has it; that of programs that are not saved, by their
        first line.
    """
    said: dict[str, str] = {}
    for block in blocks_of(page):
        if block.saved_as:
            (folder / block.saved_as).write_text(shorter(block.text), encoding="utf-8")
        elif block.language == "python":
            said[block.text.splitlines()[0]] = run_python(folder, "-c", shorter(block.text))
        for command in block.commands:
            program, _, rest = command.partition(" ")
            assert program in ("crowdgym", "python"), command
            short = shorter(rest)
            said[command] = run_crowdgym(short) if program == "crowdgym" else run_python(folder, *shlex.split(short))
    return said


def write_streets(file: Path, size: int = 20) -> None:
    """Write a file of OpenStreetMap: streets like a chess board, about 111 m apart."""
    places = product(range(size), repeat=2)
    nodes = [
        f'<node id="{x + size * y + 1}" lon="{110.3 + x / 1000:.4f}" lat="{20 + y / 1000:.4f}"/>' for x, y in places
    ]
    rows = [[x + size * y + 1 for x in range(size)] for y in range(size)]
    ways = [
        "".join(
            [
                f'<way id="{number}">',
                *(f'<nd ref="{node}"/>' for node in way),
                '<tag k="highway" v="residential"/></way>',
            ]
        )
        for number, way in enumerate([*rows, *map(list, zip(*rows, strict=True))], start=1)
    ]
    file.write_text("\n".join(['<osm version="0.6">', *nodes, *ways, "</osm>"]), encoding="utf-8")
