"""Tables in Parquet files, read so that a damaged one is told in one line."""

from pathlib import Path

import pandas as pd

from data.errors import InputError


def read_parquet(file: Path) -> pd.DataFrame:
    """Return the table of a file.

    Raises:
        InputError: it cannot be read, or is no Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        frame: pd.DataFrame = pq.ParquetFile(file).read().to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}; import the snapshot anew under another name") from error
    return frame
