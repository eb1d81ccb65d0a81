"""What is wrong with a file, before anybody knows whether it stops the command or is only passed over."""


class Broken(Exception):
    """The end of a sentence that begins with "it": "ends inside track 2", "holds no sound".

    A reader raises it; who asked for the file turns it into a `BadSource` that names the path, or into a line of the
    list of files that a set leaves out.
    """
