"""What happens when a process dies, stalls or loses its disk, at every step that matters."""
