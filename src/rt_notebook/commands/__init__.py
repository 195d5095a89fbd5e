"""The subcommands of ``rt-notebook``: one module each, with ``add_arguments(parser)`` and ``run(args)``."""
