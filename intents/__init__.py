"""Everything that understands and answers. No audio, threads, clocks or printing; nothing here imports `voice`."""
