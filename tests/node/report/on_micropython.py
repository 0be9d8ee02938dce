"""Run the plain test functions of a module, on a runtime without pytest: on_micropython.py MODULE."""

import sys


def main(name):
    module = __import__(name)
    for part in name.split(".")[1:]:
        module = getattr(module, part)
    count = 0
    for test in dir(module):
        if test.startswith("test_"):
            try:
                getattr(module, test)()
            except Exception as error:
                print("FAILED", test)
                sys.print_exception(error)
                sys.exit(1)
            count += 1
    print("passed", count)


main(sys.argv[1])
