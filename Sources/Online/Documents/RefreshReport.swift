package import CanonicalJSON
import PackageStore
package import Refresh

extension RefreshReport {
    /// What machines are told of a refresh.
    package var json: JSONValue {
        let versions: [JSONValue] = newVersions.map {
            ["package": .string($0.package.text), "versions": .array($0.versions.map { .string($0.text) })]
        }
        return [
            "ending": .string(ending.rawValue),
            "packages": [
                "visited": .integer(packages.visited), "refreshed": .integer(packages.refreshed), "fresh": .integer(packages.fresh),
                "gone": .integer(packages.gone), "failed": .integer(packages.failed),
            ],
            "tarballs": [
                "needed": .integer(tarballs.needed), "present": .integer(tarballs.present), "fetched": .integer(tarballs.fetched),
                "bytes": .integer(tarballs.bytes), "unknownSize": .integer(tarballs.ofUnknownSize), "failed": .integer(tarballs.failed),
            ],
            "newVersions": .array(versions), "touched": .array(touched.map { .string($0.text) }), "overlaid": .integer(overlaid),
            "findings": .array(findings.map(\.json)),
            "requests": ["verdaccio": .integer(requests.verdaccio), "upstream": .integer(requests.upstream)],
        ]
    }
}
