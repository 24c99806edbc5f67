"""Serve a bundle over HTTP, with a page to try it.

e.g.: asdkit serve --model model/
e.g.: asdkit serve --model model/ --profiles people.sqlite --token token --port 8080

POST /verify, /detect, /enroll and /identify take sound files as multipart/form-data and
answer in JSON; /docs describes them.  Only programs of this machine can reach it, and
only with the token, which is printed once, in the address of the page.  Ctrl-C or
SIGTERM ends it, after the answers that are due.
"""

from __future__ import annotations

import argparse
import sys

from asdkit.base.bundle_options import add_model, add_profiles
from asdkit.base.options import add_options, options_of
from asdkit.base.parsing import parsing_of
from asdkit.base.ranges import Natural

LIMITS = "asdkit.inference.uploads:Limits"
BATCHING = "asdkit.inference.batched:BatchedModel"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_model(parser)
    add_profiles(parser, required=False)
    text = "address to listen at; others than the default are reached from elsewhere, "
    text += "and are not encrypted (default: 127.0.0.1)"
    parser.add_argument("--host", default="127.0.0.1", help=text)
    text = "port to listen at; 0: one that is free (default: 8000)"
    parser.add_argument("--port", **parsing_of(Natural), default=8000, help=text)
    text = "file with the token that clients must show (default: drawn at every start)"
    parser.add_argument("--token", metavar="FILE", help=text)
    add_options(parser, LIMITS)
    add_options(parser, BATCHING)


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    from asdkit.inference.batched import BatchedModel
    from asdkit.inference.service import Service
    from asdkit.inference.serving import bind, make_app, make_token, read_token, serve
    from asdkit.inference.uploads import Limits

    token = make_token() if args.token is None else read_token(args.token)
    limits = Limits(**options_of(Limits, args))
    batching = options_of(BatchedModel, args)
    service = Service(args.model, args.profiles, limits, **batching)
    app = make_app(service, token)
    listener = bind(args.host, args.port)
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    # The one time that it is shown: not in the log, which others may read.
    shown = f"#token={token}" if args.token is None else ""
    sys.stderr.write(f"asdkit serve: http://{host}:{port}/{shown}\n")
    sys.stderr.flush()
    try:
        serve(app, listener)
    finally:
        service.close()
    return f"asdkit serve: {app.num_answered} requests answered"
