import Archives
import BundleFormat
import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage

/// A bundle made by somebody who knows the format and means harm: every digest and length of the tail is right, what they cover is not.
struct ForgedBundle {
    /// An entry of the tar, with everything a header can say.
    struct Entry {
        var path: String
        var content: [UInt8] = []
        var type: Character = "0"
        var link = ""
        /// What the header claims; the content's length where it is `nil`.
        var claimedSize: Int?
    }

    var origin = Identifier(.origin, random: randomBytes(20))
    var manifest: [UInt8] = []
    var snapshot: [UInt8] = []
    var entries: [Entry] = []
    var removedCount = 0
    /// Lines of what is said to have left.
    var removed: [String] = []
    var fileCount = 0
    var byteCount: Int64 = 0
    var packageCount = 0
    /// Bytes after the end of the tar.
    var trailing: [UInt8] = []
    /// A frame between the frames that plain decoders pass over.
    var hiddenFrame: [UInt8] = []
    /// Added to the length of the leading frame that the descriptor tells.
    var leadingLengthError: Int64 = 0
    var windowLog: Int32 = 20

    /// A bundle of one sound package; what is wrong with it is up to the caller.
    init(package: String = "foo", content: String = "foo one") throws {
        let tarball = Array(content.utf8)
        let digest = SHA512.digest(of: tarball)
        let base = package.split(separator: "/").last.map(String.init) ?? package
        let file = "\(base)-1.0.0.tgz"
        let form = Self.form(package: package, file: file, integrity: digest)
        add(path: "\(package)/\(file)", tarball, version: "1.0.0")
        add(path: "\(package)/package.json", form, version: nil)
        finishManifest()
    }

    private var lines: [(path: String, line: String, sum: String)] = []

    /// Declares a file and puts it into the tar.
    mutating func add(path: String, _ content: [UInt8], version: String?) {
        let digest = SHA512.digest(of: content)
        let package = path.split(separator: "/").dropLast().joined(separator: "/")
        let versionMember = version.map { ",\"version\":\"\($0)\"" } ?? ""
        let kind = version == nil ? "packument" : "tarball"
        let line =
            "{\"kind\":\"\(kind)\",\"package\":\"\(package)\",\"path\":\"\(path)\",\"sha512\":\"\(digest)\",\"size\":\(content.count)\(versionMember)}"
        lines.append((path, line, "\(digest)  \(path)\n"))
        entries.append(Entry(path: "storage/\(path)", content: content))
        fileCount += 1
        byteCount += Int64(content.count)
        if version == nil { packageCount += 1 }
    }

    /// Writes manifest and target state from what was declared.
    mutating func finishManifest() {
        snapshot = Array(lines.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }.map(\.sum).joined().utf8)
        let header =
            "{\"baseline\":{\"snapshot\":null,\"stateRoot\":\"\(SHA512Digest.ofNothing)\"},\"counts\":\(counts),\"formatVersion\":1,"
            + "\"origin\":\"\(origin)\",\"target\":{\"snapshot\":\"20260101T000000Z\",\"stateRoot\":\"\(SHA512.digest(of: snapshot))\"},"
            + "\"type\":\"ferry.manifest\",\"files\":[\n"
        manifest = Array(
            (header + lines.map(\.line).joined(separator: ",\n") + "\n],\"removed\":[\n" + removed.map { "\($0)\n" }.joined() + "]}\n").utf8
        )
    }

    private var counts: String {
        "{\"bytes\":\(byteCount),\"files\":\(fileCount),\"packages\":\(packageCount),\"removed\":\(removedCount)}"
    }

    /// The archive's bytes, unsigned.
    func bytes() throws -> [UInt8] {
        let texts = [
            Entry(path: "manifest.json", content: manifest), Entry(path: "SHA512SUMS"), Entry(path: "README.md"),
            Entry(path: "snapshot.txt", content: snapshot),
        ]
        var covered: [UInt8] = []
        let zstd = try ZstdFrameWriter { covered.append(contentsOf: $0) }
        func frame(_ content: [UInt8]) throws {
            try zstd.beginFrame(level: 1, workers: 0, windowLog: windowLog)
            try content.withUnsafeBytes { try zstd.write($0) }
            try zstd.endFrame()
        }
        try frame(texts.flatMap(Self.blocks))
        let leadingLength = Int64(covered.count)
        covered += hiddenFrame
        try frame(entries.flatMap(Self.blocks) + [UInt8](repeating: 0, count: 1024) + trailing)
        var table: [UInt8] = []
        for start in stride(from: 0, to: covered.count, by: Int(BundleDescriptor.chunkSize)) {
            let chunk = Array(covered[start..<min(start + Int(BundleDescriptor.chunkSize), covered.count)])
            SHA512.digest(of: chunk).append(to: &table)
        }
        let descriptor = BundleDescriptor(
            bundle: Identifier(.bundle, random: randomBytes(20)), label: "diff-202601010000", created: Timestamp(nanoseconds: 0),
            origin: origin, destination: .any, sequence: 1, baselineRoot: .ofNothing, targetRoot: SHA512.digest(of: snapshot),
            counts: BundleCounts(files: fileCount, bytes: byteCount, packages: packageCount, removed: removedCount),
            manifestDigest: SHA512.digest(of: manifest), leadingLength: leadingLength + leadingLengthError,
            coveredLength: Int64(covered.count),
            chunkTableDigest: SHA512.digest(of: table), writer: "a forger")
        return covered + BundleTail.bytes(descriptor: descriptor, signatures: [], chunkTable: table)
    }

    /// The transfer form of a package of one version.
    static func form(package: String, file: String, integrity: SHA512Digest) -> [UInt8] {
        let sum = base64(integrity.bytes)
        return Array(
            ("{\"_attachments\":{\"\(file)\":{\"version\":\"1.0.0\"}},\"_distfiles\":{},\"_id\":\"\(package)\","
                + "\"_rev\":\"1-0000000000000000\",\"_uplinks\":{},\"dist-tags\":{\"latest\":\"1.0.0\"},\"name\":\"\(package)\","
                + "\"readme\":\"\",\"time\":{},\"users\":{},\"versions\":{\"1.0.0\":{\"dist\":{\"integrity\":\"sha512-\(sum)\","
                + "\"tarball\":\"http://localhost/\(package)/-/\(file)\"},\"name\":\"\(package)\",\"version\":\"1.0.0\"}}}").utf8)
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 { text.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : "=") }
        }
        return text
    }

    /// A ustar header with its content, made by hand so that it can lie.
    private static func blocks(_ entry: Entry) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        func octal(_ number: Int, digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(entry.path, at: 0)
        put(octal(0o644, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(entry.claimedSize ?? entry.content.count, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)
        put("        ", at: 148)
        put(String(entry.type), at: 156)
        put(entry.link, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6), at: 148)
        header[154] = 0
        header[155] = 0x20
        let padding = (512 - entry.content.count % 512) % 512
        return header + entry.content + [UInt8](repeating: 0, count: padding)
    }
}
