// ImportLedger
