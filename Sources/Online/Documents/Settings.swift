package import CanonicalJSON
package import Settings
import SystemPackage

extension SettingEntry {
    /// What machines are told of a key.
    package var json: JSONValue {
        let texts: [JSONValue] = (values ?? []).map { .string($0) }
        return [
            "key": .string(key), "value": values == nil ? .null : isList ? .array(texts) : texts.first ?? .null, "source": source.json,
            "variable": .string(variable),
        ]
    }
}

extension SettingSource {
    /// What machines are told of where a value comes from.
    package var json: JSONValue {
        switch self {
        case .builtIn: ["kind": "default"]
        case .verdaccio(let path): ["kind": "verdaccio", "path": .string(path.string)]
        case .file(let path, let line): ["kind": "file", "path": .string(path.string), "line": .integer(line)]
        case .environment(let name): ["kind": "environment", "name": .string(name)]
        case .flag(let name): ["kind": "flag", "name": .string(name)]
        }
    }
}
