# A firmware that cannot start or that fails must leave the board at its REPL, where it can be mended.
import gc
import sys

# Imports leave much behind that what is kept would be strewn among: collect often until the firmware runs.
gc.threshold(4096)
try:
    from ascnode_fw.main import main

    main()
except Exception as error:
    sys.print_exception(error)
