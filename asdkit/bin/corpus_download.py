"""Download a corpus that is free, and unpack it.

e.g.: asdkit corpus-download speechocean762 /corpora/speechocean762

Goes on where an earlier download was cut; unpacks, and removes the archives.  Checksums
are compared where their owners or others state them; otherwise downloads.json records
those of the first download, as unverified.  Of what is not free, the page to visit is
shown.  No other program uses the network.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options
from asdkit.base.outputs import OutputDir
from asdkit.corpora.downloads import CORPORA


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.corpora.downloads:download_corpus", "keep_archives")
    names = ", ".join(CORPORA)
    parser.add_argument("name", choices=CORPORA, metavar="NAME", help=names)
    parser.add_argument("dir", type=OutputDir, help="where to write the corpus")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.downloads import download_corpus

    download_corpus(args.name, args.dir, keep_archives=args.keep_archives)
