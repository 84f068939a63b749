"""How long the liquidity signal takes: see liquidity_signal.py, which this file runs.

The folder of a script leads its import path. So every benchmark here whose imports ask for the standard library's
`signal` (subprocess does) finds this file, which hands them what they want.
"""

import sys

if __name__ == "__main__":
    from liquidity_signal import main

    main()
else:
    import sysconfig
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    found = PathFinder.find_spec(__name__, [sysconfig.get_path("stdlib")])
    assert found is not None
    assert found.loader is not None
    # Whoever imports gets what stands in sys.modules in the end.
    sys.modules[__name__] = module_from_spec(found)
    found.loader.exec_module(sys.modules[__name__])
