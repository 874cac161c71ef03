import CanonicalJSON
import ImportLedger
import Integrity
import PackageStore
import Platform
import Snapshots

/// An import on one page: everything is in the file, nothing is fetched, and it can be printed.
package struct HTMLReport: Sendable {
    private let report: ImportReport
    private let say: Phrases

    package init(_ report: ImportReport, _ phrases: Phrases) {
        self.report = report
        say = phrases
    }

    /// The page.
    package func text() -> String {
        let record = report.record
        let title = "\(say(Self.title(record.kind))) \(record.id)"
        var page = """
            <!doctype html>
            <html lang="\(say.language.rawValue)"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>\(Self.escaped("\(title): \(record.label)"))</title><style>\(Self.style)</style></head><body>
            <header><h1>\(Self.escaped(title))</h1><p class="label">\(Self.escaped("\(record.label) #\(record.sequence)"))</p></header>

            """
        page += banner()
        page += section(nil, facts())
        page += section(.result, outcomes())
        page += section(.brought, brought())
        let left = report.packages(with: [.leaving, .quarantined, .deleted, .released, .returned])
        if !left.isEmpty { page += section(.left, changes(left)) }
        let refused = report.packages(with: [.conflict, .ownedLocally, .removed, .absent, .intended, .withdrawn])
        if !refused.isEmpty { page += section(.refused, changes(refused)) }
        page += section(.checks, checks())
        if record.kind == .import { page += section(.howToUndo, undoing()) }
        page += section(.chain, chain())
        page += section(.digests, digests())
        return page + "</body></html>\n"
    }

    private static func title(_ kind: ImportRecord.Kind) -> Phrases.Key {
        switch kind {
        case .import: .title
        case .rollback: .rollbackTitle
        case .release: .releaseTitle
        case .adoption: .adoptionTitle
        }
    }

    private func section(_ key: Phrases.Key?, _ body: String) -> String {
        "<section>\(key.map { "<h2>\(Self.escaped(say($0)))</h2>" } ?? "")\(body)</section>\n"
    }

    private func banner() -> String {
        if let rollback = report.rollback {
            return "<p class=\"banner\">\(Self.escaped("\(say(.undone)) \(say(.undoneBy)) \(rollback.id), \(rollback.started)"))</p>\n"
        }
        if report.record.state == .applying { return "<p class=\"banner\">\(Self.escaped(say(.running)))</p>\n" }
        return ""
    }

    private func facts() -> String {
        let record = report.record
        let details = record.details
        var rows: [(Phrases.Key, String)] = [
            (.bundle, record.bundle.text), (.stateRoot, record.targetRoot.hex), (.origin, record.origin.text),
            (.destination, report.destination),
            (.signedBy, record.keys.isEmpty ? say(.unsigned) : record.keys.joined(separator: ", ")), (.began, record.started.description),
            (.ended, record.finished?.description ?? "–"), (.by, record.operatorName), (.host, details["host"]?.string ?? ""),
            (.from, record.source),
        ]
        if let medium = details["medium"]?.object {
            let words = ["label", "vendor", "model", "serial", "fileSystem", "path"].compactMap { medium[$0]?.string }
            rows.append((.medium, words.joined(separator: " · ")))
        }
        rows += [(.storage, details["storage"]?.string ?? ""), (.program, details["program"]?.string ?? "")]
        let steps: [(Phrases.Key, String)] = [(.verify, "verify"), (.apply, "apply"), (.service, "service")]
        let times = steps.compactMap { key, name in
            report.milliseconds(name).flatMap { $0 > 0 ? "\(say(key)) \(Self.seconds($0)) \(say(.seconds))" : nil }
        }
        if !times.isEmpty { rows.append((.duration, times.joined(separator: ", "))) }
        let lines = rows.filter { !$0.1.isEmpty }.map { key, value in
            "<tr><th>\(Self.escaped(say(key)))</th><td>\(Self.escaped(value))</td></tr>"
        }
        return "<table class=\"facts\">\(lines.joined())</table>"
    }

    private static func seconds(_ milliseconds: Int64) -> String { "\(milliseconds / 1000).\(milliseconds / 100 % 10)" }

    private func outcomes() -> String {
        let rows = report.record.outcomes.sorted { $0.key < $1.key }.map { name, count in
            let words = VersionOutcome(rawValue: name).map { say.outcome($0) } ?? (name == "packuments" ? say(.packument) : name)
            return "<tr><td>\(Self.escaped(words))</td><td class=\"number\">\(count)</td></tr>"
        }
        guard !rows.isEmpty else { return "<p>\(Self.escaped(say(.none)))</p>" }
        return
            "<table><tr><th>\(Self.escaped(say(.outcome)))</th><th class=\"number\">\(Self.escaped(say(.files)))</th></tr>\(rows.joined())</table>"
    }

    private func brought() -> String {
        let packages = report.packages(with: [.added, .healed, .undone, .adopted])
        guard !packages.isEmpty else { return "<p>\(Self.escaped(say(.none)))</p>" }
        let rows = packages.prefix(Self.rowLimit).map { package in
            let versions = package.changes.map(Self.version).joined(separator: ", ")
            let bytes = package.changes.reduce(0) { $0 + ($1.size ?? 0) }
            return
                "<tr><td>\(Self.escaped(package.name.text))</td><td>\(Self.escaped(versions))</td><td class=\"number\">\(bytes)</td></tr>"
        }
        let heads = [Phrases.Key.package, .versions].map { "<th>\(Self.escaped(say($0)))</th>" }.joined()
        return "<table><tr>\(heads)<th class=\"number\">\(Self.escaped(say(.bytes)))</th></tr>\(rows.joined())</table>"
            + rest(packages.count)
    }

    private func changes(_ packages: [ImportReport.Package]) -> String {
        let count = packages.reduce(0) { $0 + $1.changes.count }
        let all = packages.lazy.flatMap { package in package.changes.lazy.map { (package.name, $0) } }
        let rows = all.prefix(Self.rowLimit).map { name, change in
            "<tr><td>\(Self.escaped("\(name)@\(Self.version(change))"))</td><td>\(Self.escaped(say.outcome(change.outcome)))</td></tr>"
        }
        return "<table><tr><th>\(Self.escaped(say(.package)))</th><th>\(Self.escaped(say(.reason)))</th></tr>\(rows.joined())</table>"
            + rest(count)
    }

    private static func version(_ change: ChangeRecord) -> String { change.version?.text ?? change.path.file.text }

    private func checks() -> String {
        var lines = [say(report.record.keys.isEmpty ? .checkUnsigned : .checkSignature), say(.checkChunks)]
        if report.audit.findings.isEmpty {
            lines.append(say(.checkChain))
        } else {
            lines.append("\(say(.checkChainBroken)): \(report.audit.findings.joined(separator: "; "))")
        }
        if let service = report.record.details["service"]?.object, let packuments = service["packuments"]?.integer {
            lines.append("\(say(.checkService)) \(packuments) \(say(.packument)), \(service["tarballs"]?.integer ?? 0) tarballs")
        } else if report.record.kind == .import {
            lines.append(say(.checkNoService))
        }
        return "<ul>\(lines.map { "<li>\(Self.escaped($0))</li>" }.joined())</ul>"
    }

    private func undoing() -> String {
        guard report.canBeUndone else { return "<p>\(Self.escaped(say(.undoNot)))</p>" }
        let command = "ferry-offline rollback \(report.record.id) --dry-run\nferry-offline rollback \(report.record.id)"
        return "<pre>\(Self.escaped(command))</pre><p>\(Self.escaped(say(.undoWith)))</p>"
    }

    private func chain() -> String {
        let rows: [(Phrases.Key, String)] = [(.previous, report.record.previous), (.this, report.record.digest ?? "–")]
        let lines = rows.filter { !$0.1.isEmpty }.map { key, value in
            "<tr><th>\(Self.escaped(say(key)))</th><td class=\"digest\">\(Self.escaped(value))</td></tr>"
        }
        return "<table class=\"facts\">\(lines.joined())</table>"
    }

    private func digests() -> String {
        let count = report.packages.reduce(0) { $0 + $1.changes.count }
        let rows = report.packages.lazy.flatMap(\.changes).prefix(Self.rowLimit).map { change in
            "<tr><td>\(Self.escaped("\(change.path)"))</td><td class=\"digest\">\(change.digest.hex)</td></tr>"
        }
        guard !rows.isEmpty else { return "<p>\(Self.escaped(say(.none)))</p>" }
        return "<table><tr><th>\(Self.escaped(say(.file)))</th><th>\(Self.escaped(say(.digest)))</th></tr>\(rows.joined())</table>"
            + rest(count)
    }

    /// How many rows are not on the page, and where they are: a page of a hundred thousand is read by nobody.
    private func rest(_ count: Int) -> String {
        guard count > Self.rowLimit else { return "" }
        let words = "\(say(.more)) \(count - Self.rowLimit): ferry-offline show \(report.record.id) --csv"
        return "<p class=\"more\">\(Self.escaped(words))</p>"
    }

    private static let rowLimit = 1000

    /// A text in which nothing is markup: names come from strangers.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case _ where scalar.properties.generalCategory == .control && scalar != "\n": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static let style = """
        :root { color-scheme: light; --line: #d5d9de; --quiet: #5a6472; }
        * { box-sizing: border-box; }
        body { font: 15px/1.5 "DejaVu Sans", "Liberation Sans", system-ui, sans-serif; color: #16191d; background: #fff; max-width: 60rem; \
        margin: 2rem auto; padding: 0 1.5rem; }
        header { border-bottom: 3px solid #1f4e79; margin-bottom: 1.5rem; }
        h1 { font-size: 1.9rem; margin: 0; } .label { color: var(--quiet); margin: 0 0 .6rem; font-size: 1.05rem; }
        h2 { font-size: 1.15rem; margin: 1.8rem 0 .5rem; color: #1f4e79; }
        table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; \
        border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
        th { font-weight: 600; } .facts th { width: 13rem; color: var(--quiet); font-weight: 400; }
        .number { text-align: right; padding-right: 0; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .digest, pre { font-family: "DejaVu Sans Mono", "Liberation Mono", monospace; font-size: .72rem; } pre { font-size: .85rem; background: #f3f5f7; \
        padding: .7rem 1rem; }
        .banner { background: #fdecea; border-left: 4px solid #b3261e; padding: .6rem 1rem; font-weight: 600; }
        ul { padding-left: 1.2rem; margin: .3rem 0; }
        @media print { body { margin: 0; max-width: none; font-size: 10pt; } h2 { break-after: avoid; } tr { break-inside: avoid; } \
        @page { margin: 15mm; } }
        """
}
