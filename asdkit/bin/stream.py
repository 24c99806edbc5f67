"""Stream speech and decide about its speaker every second.

e.g.: arecord -t raw -f S16_LE -r 16000 | asdkit stream --model model/ --enroll a.wav
e.g.: asdkit stream --model model/ --profiles p.sqlite --profile ann --microphone true

Reads samples of one channel without a header from standard input, or records from a
microphone until Ctrl-C.  Prints a line each second, about all that came so far; the
last decision is that of verify about a file.  With neither --enroll nor --profile it
detects spoofed speech only.  Delay and CPU time are in the last line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from asdkit.base.bundle_options import add_model, add_profiles
from asdkit.base.options import add_options, options_of
from asdkit.base.parsing import parsing_of

PCM = "asdkit.inference.streaming:Pcm"
LISTENER = "asdkit.inference.streaming:Listener"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_model(parser)
    text = "sound files of the enrolled speaker (default: none)"
    parser.add_argument("--enroll", nargs="+", metavar="AUDIO", help=text)
    add_profiles(parser, required=False)
    text = "name of an enrolled speaker in --profiles (default: none)"
    parser.add_argument("--profile", metavar="NAME", help=text)
    add_options(parser, PCM)
    add_options(parser, LISTENER, "every_sec")
    text = "record from a microphone instead of reading standard input (default: false)"
    parser.add_argument("--microphone", **parsing_of(bool), default=False, help=text)
    text = "print every decision as a line of JSON"
    parser.add_argument("--json", action="store_true", help=text)


def main(args: argparse.Namespace) -> str | None:
    """Run the command."""
    from asdkit.inference.bundle import Bundle
    from asdkit.inference.streaming import Listener, Pcm, open_source, speaker_of

    bundle = Bundle.open(args.model)
    bundle.warm_up()
    speaker = speaker_of(bundle, args.enroll, args.profiles, args.profile)
    pcm = Pcm(**options_of(Pcm, args))
    listener = Listener(bundle, pcm, speaker, args.every_sec)
    with open_source(pcm, bundle.max_sec, args.microphone) as (arrivals, name):
        before = time.process_time()
        for update in listener.updates(arrivals, name):
            line = json.dumps(update.as_dict()) if args.json else str(update)
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        cpu_sec = time.process_time() - before
    summary = listener.summary(cpu_sec)
    if args.json:
        sys.stderr.write(f"asdkit stream: {summary}\n")
        return None
    return f"{listener.verdict}\n{summary}"
