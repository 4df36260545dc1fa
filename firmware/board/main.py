# A firmware that cannot start or that fails must leave the board at its REPL, where it can be mended.
import sys

try:
    from ascnode_fw.main import main

    main()
except Exception as error:
    sys.print_exception(error)
