"""Corpora that can be fetched without a signature, and the pages of those that cannot.

Nothing here is fetched unless somebody asks for it by name.  Read the page of a corpus,
which is its owners', before you use it.
"""

from __future__ import annotations

import json
import logging
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from asdkit.base.errors import AsdkitError, DataError
from asdkit.io.downloads import RECORD, RemoteFile, download
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)
DAMAGES = (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile)


class Corpus(NamedTuple):
    """A corpus, and where to get it.

    Attributes:
        title: its name.
        licence: under which it is given.
        page: where its owners say so.
        source: who states addresses and checksums.
        files: to fetch; none if its owners want to be asked first.
        top: folder in the archives whose contents are the corpus.
    """

    title: str
    licence: str
    page: str
    source: str
    files: tuple[RemoteFile, ...] = ()
    top: str = ""


OPENSLR = "https://www.openslr.org/resources"
ZENODO = "https://zenodo.org/records"
META = "https://www.robots.ox.ac.uk/~vgg/data/voxceleb/meta"
VGG = "https://www.robots.ox.ac.uk/~vgg/data/voxceleb"
KEYS_2021 = "https://www.asvspoof.org/asvspoof2021"
DATASHARE = "https://datashare.ed.ac.uk"
ODC_BY = "ODC-By 1.0"
CC_BY = "CC BY 4.0"
EVAL_PACKAGE = "keys: asvspoof-challenge/2021 on GitHub, eval-package/README.md"


def _at(place: str, name: str, md5: str | None = None) -> RemoteFile:
    """Describe a file whose name is the end of its address."""
    return RemoteFile(f"{place}/{name}", name, md5=md5)


def _parts(
    record: str, form: str, md5s: Mapping[str, str | None]
) -> tuple[RemoteFile, ...]:
    """Describe the files of a Zenodo record that differ in a few letters."""
    place = f"{ZENODO}/{record}/files"
    return tuple(_at(place, form.format(part), md5) for part, md5 in md5s.items())


CORPORA: Mapping[str, Corpus] = {
    "speechocean762": Corpus(
        "speechocean762, English read by Mandarin speakers, 520 MB",
        CC_BY,
        "https://www.openslr.org/101/",
        "openslr.org/101, which states no checksum",
        (_at(f"{OPENSLR}/101", "speechocean762.tar.gz"),),
        top="speechocean762",
    ),
    "musan": Corpus(
        "MUSAN, music, speech and noise, 11 GB",
        CC_BY,
        "https://www.openslr.org/17/",
        "lhotse.recipes.musan; MD5: WeSpeaker, examples/voxceleb/v2/local/"
        "download_data.sh, and clovaai/voxceleb_trainer, dataprep.py",
        (_at(f"{OPENSLR}/17", "musan.tar.gz", "0c472d4fc0c5141eca47ad1ffeb2a7df"),),
        top="musan",
    ),
    "rirs_noises": Corpus(
        "RIRS_NOISES, room impulse responses and noises, 1.3 GB",
        "Apache 2.0",
        "https://www.openslr.org/28/",
        "lhotse.recipes.rir_noise; MD5: openslr.org/resources/28/checksum.md5",
        (_at(f"{OPENSLR}/28", "rirs_noises.zip", "e6f48e257286e05de56413b4779d8ffb"),),
        top="RIRS_NOISES",
    ),
    "asvspoof2019_la": Corpus(
        "ASVspoof 2019, logical access, 7.6 GB",
        ODC_BY,
        f"{DATASHARE}/handle/10283/3336",
        "datashare.ed.ac.uk/handle/10283/3336, which states no checksum",
        (
            RemoteFile(
                f"{DATASHARE}/bitstream/handle/10283/3336/LA.zip", "LA.zip", 7640952520
            ),
        ),
    ),
    "asvspoof2019_pa": Corpus(
        "ASVspoof 2019, physical access, 16 GB",
        ODC_BY,
        f"{DATASHARE}/handle/10283/3336",
        "datashare.ed.ac.uk/handle/10283/3336, which states no checksum",
        (RemoteFile(f"{DATASHARE}/bitstream/handle/10283/3336/PA.zip", "PA.zip"),),
    ),
    "asvspoof2021_la": Corpus(
        "ASVspoof 2021, logical access, evaluation and keys, 7.8 GB",
        ODC_BY,
        f"{ZENODO}/4837263",
        f"Zenodo 4837263; {EVAL_PACKAGE}",
        (
            _at(
                f"{ZENODO}/4837263/files",
                "ASVspoof2021_LA_eval.tar.gz",
                "2abee34d8b0b91159555fc4f016e4562",
            ),
            _at(KEYS_2021, "LA-keys-full.tar.gz"),  # the page states two
        ),
    ),
    "asvspoof2021_df": Corpus(
        "ASVspoof 2021, deepfake, evaluation and keys, 34.5 GB",
        ODC_BY,
        f"{ZENODO}/4835108",
        f"Zenodo 4835108; {EVAL_PACKAGE}",
        (
            *_parts(
                "4835108",
                "ASVspoof2021_DF_eval_part{}.tar.gz",
                {
                    "00": "4f2cbae07cf3ede2a1dde3b8d2ee55ea",
                    "01": "1578c89ab433c2b60b1dce93bdf8fbec",
                    "02": "5497a35f0126e94a1d7a7d26db57b4f7",
                    "03": None,  # two are in circulation
                },
            ),
            _at(KEYS_2021, "DF-keys-full.tar.gz", "dabbc5628de4fcef53036c99ac7ab93a"),
        ),
    ),
    "asvspoof2021_pa": Corpus(
        "ASVspoof 2021, physical access, evaluation and keys",
        ODC_BY,
        f"{ZENODO}/4834716",
        f"Zenodo 4834716; {EVAL_PACKAGE}",
        (
            *_parts(
                "4834716",
                "ASVspoof2021_PA_eval_part{}.tar.gz",
                {
                    "00": "78bd4f9178b7508f2b5f78ecc5567335",
                    "01": "8b6e8c68cfea31cbb4bc86c943b9ac68",
                    "02": "d146e462b932905d13c9b3d5c82d960d",
                    "03": "d9602472355b62fb2841a571c789d0e2",
                    "04": "194b5a903edca4be1696d476644b4410",
                    "05": "1ba1f986db0a33cb9e659c44c41afee1",
                    "06": "59c33780525e3b324cd0f84e4ecf08cb",
                },
            ),
            _at(KEYS_2021, "PA-keys-full.tar.gz", "a639ea472cf4fb564a62fbc7383c24cf"),
        ),
    ),
    "asvspoof5": Corpus(
        "ASVspoof 5, both tracks, 142 GB",
        ODC_BY,
        f"{ZENODO}/14498691",
        "Zenodo 14498691; MD5: README.txt of ASVspoof5_protocols.tar.gz",
        (
            _at(
                f"{ZENODO}/14498691/files",
                "ASVspoof5_protocols.tar.gz",
                "865d0e894ea9f686f0f37e5ae3ae3616",
            ),
            *_parts(
                "14498691",
                "flac_{}.tar",
                {
                    "T_aa": "b0cc86b14826a7701b52aad4f53daf9c",
                    "T_ab": "d05be3f4be7a343fdbdd0ed29fdff2e1",
                    "T_ac": "70d1ba4ad75a20aef3dae541fbd321e3",
                    "T_ad": "c9bb56af2cc410d98338d74babcb95c9",
                    "T_ae": "a3969816982f3e52300d6147ad796df7",
                    "D_aa": "df0be44957623991028cce59792beb17",
                    "D_ab": "1e8cd685d89b64502692f1bcf1a13db3",
                    "D_ac": "5e0031f08c30e4bdbf0c59f91b2d662b",
                    "E_aa": "a8c800766f3d4ef87971e2b4f29663e2",
                    "E_ab": "c35064188f54f07c87aba58de22534a0",
                    "E_ac": "ed7cbcd1b2847998b72472ddf6b445e3",
                    "E_ad": "626a080e994b05df49c577d7b3dede8d",
                    "E_ae": "05f19a5e64fa556714ae1b38eb2ea70b",
                    "E_af": "2ca2f52a3bbf827f7ec155ecb47e85d6",
                    "E_ag": "671200b5de2fc1e74a563b07b057af8f",
                    "E_ah": "eaf885b1299a61eb07f71e82e96dba37",
                    "E_ai": "b2625683bf440abae2af901a45542ad9",
                    "E_aj": "c50281c8233af6f3b0899604d21ade44",
                },
            ),
        ),
    ),
    "voxceleb1_lists": Corpus(
        "VoxCeleb1, lists of speakers and trials",
        CC_BY,
        f"{VGG}/vox1.html",
        "lhotse.recipes.voxceleb; MD5: PaddleSpeech, dataset/voxceleb/voxceleb1.py",
        (
            _at(META, "vox1_meta.csv"),
            _at(META, "veri_test.txt", "29fc7cc1c5d59f0816dc15d6e8be60f7"),
            _at(META, "veri_test2.txt", "b73110731c9223c1461fe49cb48dddfc"),
            _at(META, "list_test_hard2.txt", "857790e09d579a68eb2e339a090343c8"),
            _at(META, "list_test_all2.txt", "a53e059deb562ffcfc092bf5d90d9f3a"),
        ),
    ),
    "voxceleb2_lists": Corpus(
        "VoxCeleb2, list of speakers",
        CC_BY,
        f"{VGG}/vox2.html",
        "lhotse.recipes.voxceleb",
        (_at(META, "vox2_meta.csv"),),
    ),
    "voxceleb1": Corpus("VoxCeleb1, audio", CC_BY, f"{VGG}/vox1.html", "the page"),
    "voxceleb2": Corpus("VoxCeleb2, audio", CC_BY, f"{VGG}/vox2.html", "the page"),
}


def download_corpus(name: str, folder: PathName, keep_archives: bool = False) -> None:
    """Fetch a corpus and unpack it; what is there is not fetched again.

    Args:
        name: one of `CORPORA`.
        folder: directory whose contents become the corpus's.
        keep_archives: keep the archives when they are unpacked.

    Raises:
        AsdkitError: its owners give it to those who ask, or there is no such corpus.
        DataError: a file cannot be fetched, or is damaged.
    """
    corpus = CORPORA[name]
    if not corpus.files:
        problem = f"{corpus.title}: its owners want to be asked for it"
        raise AsdkitError(problem, hint=f"visit {corpus.page}")
    logger.info(
        "corpus-download: %s, %s, %s", corpus.title, corpus.licence, corpus.page
    )
    record = Path(folder) / RECORD
    for wanted in corpus.files:
        known = json.loads(record.read_text()) if record.exists() else {}
        if known.get(wanted.name, {}).get("unpacked"):
            logger.info("corpus-download: %s is there, unpacked", wanted.name)
            continue
        path = download(wanted, folder)
        if not wanted.name.endswith((".zip", ".tar", ".tar.gz")):
            continue
        _unpack(path, Path(folder), corpus.top)
        known = json.loads(record.read_text())
        known[wanted.name]["unpacked"] = True
        with write_atomic(record) as stream:
            stream.write(json.dumps(known, indent=2, sort_keys=True) + "\n")
        if not keep_archives:
            path.unlink()


def _unpack(path: Path, folder: Path, top: str) -> None:
    """Extract an archive, without its top folder; nothing outside of the directory.

    Raises:
        DataError: it is damaged, has members elsewhere, or the disk is full.
    """
    logger.info("corpus-download: unpack %s", path)
    prefix = f"{top}/" if top else ""
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    info.filename = info.filename.removeprefix(prefix)
                    if info.filename:
                        archive.extract(info, folder)
            return
        with tarfile.open(path) as members:
            for member in members:
                name = member.name.removeprefix("./").removeprefix(prefix)
                if name not in ("", ".", top):
                    members.extract(member.replace(name=name), folder, filter="data")
    except DAMAGES as error:
        free = shutil.disk_usage(folder).free
        hint = f"{free:,} bytes are free; if that is enough, fetch it again"
        raise DataError(path, f"cannot unpack it: {error}", hint=hint) from None
