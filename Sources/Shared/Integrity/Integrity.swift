// Integrity
