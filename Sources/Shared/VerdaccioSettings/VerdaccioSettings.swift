// VerdaccioSettings
