"""The data base of jobs: a MariaDB of its own behind slurmdbd, so that sacct has something to say."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from daemon import Daemon
from processes import ClusterError, program, succeeds

PATIENCE = 120  # seconds for an empty data base to be made


@dataclass(frozen=True)
class Accounting:
    """Two daemons in a cluster's folder; MariaDB is reached by a socket in it and by nothing else.

    Parameters
    ----------
    folder : Path
    user : str
        Who they run as.
    environment : mapping
        What points Slurm's commands at the cluster.
    """

    folder: Path
    user: str
    environment: Mapping[str, str]

    @property
    def conf(self) -> Path:
        """What slurmdbd reads; it insists that nobody else can."""
        return self.folder / "slurmdbd.conf"

    def start(self) -> None:
        """Start both, on an empty data base the first time.

        Raises
        ------
        ClusterError
            One of them did not come up.
        """
        if not self._data.exists():
            self._install()
        self._mariadb.start(lambda: succeeds("mariadb-admin", "--no-defaults", self._socket, "ping"))
        self._slurmdbd.start(
            lambda: succeeds("sacctmgr", "--noheader", "list", "cluster", environment=self.environment)
        )

    def stop(self) -> None:
        """Stop what runs of them."""
        self._slurmdbd.stop()
        self._mariadb.stop()

    def _install(self) -> None:
        log = self.folder / "mariadb-install-db.log"
        command = [
            *("mariadb-install-db", "--no-defaults", f"--datadir={self._data}", f"--user={self.user}"),
            *("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"),
        ]
        with log.open("wb") as output:
            made = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=PATIENCE,
                check=False,
            )
        if made.returncode != 0:
            raise ClusterError(f"mariadb-install-db failed; read {log}")

    @property
    def _data(self) -> Path:
        return self.folder / "mariadb"

    @property
    def _socket(self) -> str:
        return f"--socket={self.folder}/mariadb.socket"

    @property
    def _mariadb(self) -> Daemon:
        flags = ["--no-defaults", f"--datadir={self._data}", self._socket, f"--user={self.user}"]
        flags += [
            f"--pid-file={self.folder}/mariadb.pid",
            "--skip-networking",
            "--innodb-buffer-pool-size=64M",
        ]
        return Daemon([program("mariadbd") or "mariadbd", *flags], self.folder)

    @property
    def _slurmdbd(self) -> Daemon:
        environment = {**self.environment, "MYSQL_UNIX_PORT": str(self.folder / "mariadb.socket")}
        return Daemon([program("slurmdbd") or "slurmdbd", "-D"], self.folder, environment)
