"""What asdkit does with damaged files, hostile manifests, absurd options, kill -9."""
