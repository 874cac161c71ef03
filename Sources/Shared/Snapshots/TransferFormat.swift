/// The version of everything that FORMAT.md describes: snapshots, bundles and media.
package enum TransferFormat {
    /// What is written, and the only one that is read (FORMAT.md §11).
    package static let version: Int64 = 1
}
