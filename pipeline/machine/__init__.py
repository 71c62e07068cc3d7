"""What a stage runs on: processes, devices, memory, files, downloads. Nothing here changes a result."""
