"""One module per subcommand: its arguments, and a thin call of a plain function.

Modules that need Kafka's client or Spark import it when they run, not when they are loaded: the
two live in different venvs.
"""
