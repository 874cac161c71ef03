// MediaLayout
