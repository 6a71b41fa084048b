"""The screens of the studio page, one state each: compose, running, ready, failed, erased."""
