// PackageStore
