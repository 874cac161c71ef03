/// One lockfile of each format, small and with every kind of entry.
enum Samples {
    /// An integrity whose every byte of base64 but the last few is that letter.
    static func integrity(_ letter: Character) -> String { "sha512-\(String(repeating: letter, count: 85))A==" }

    private static func tarball(_ name: String, _ version: String) -> String {
        "\"version\": \"\(version)\", \"integrity\": \"\(integrity("A"))\", "
            + "\"resolved\": \"https://registry.npmjs.org/\(name)/-/\(name.split(separator: "/").last ?? "")-\(version).tgz\""
    }

    static let npm = """
        {"name": "proj", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {
          "": {"name": "proj", "version": "1.0.0", "bundleDependencies": ["rb"], "workspaces": ["ws/*"],
            "dependencies": {"@s/b": "^2.0.0", "a": "^1.0.0", "alias": "npm:real@^3.0.0", "d": "file:dir", "f": "file:f.tgz",
              "g": "github:user/g", "par": "1.0.0", "rb": "1.0.0", "u": "https://example.com/u-1.0.0.tgz"},
            "devDependencies": {"dev": "1.0.0"}, "optionalDependencies": {"opt": "1.0.0"}},
          "dir": {"name": "d", "version": "1.0.0"},
          "node_modules/@s/b": {\(tarball("@s/b", "2.0.0")), "dependencies": {"c": "2.0.0-beta.1"}},
          "node_modules/a": {\(tarball("a", "1.2.3")), "dependencies": {"c": "^1.0.0"}},
          "node_modules/a/node_modules/c": {\(tarball("c", "1.5.0"))},
          "node_modules/alias": {"name": "real", \(tarball("real", "3.1.0"))},
          "node_modules/c": {\(tarball("c", "2.0.0-beta.1"))},
          "node_modules/d": {"resolved": "dir", "link": true},
          "node_modules/dev": {\(tarball("dev", "1.0.0")), "dev": true},
          "node_modules/f": {"version": "1.0.0", "resolved": "file:f.tgz", "integrity": "\(integrity("A"))"},
          "node_modules/g": {"version": "1.0.0", "resolved": "git+ssh://git@github.com/user/g.git#\(String(repeating: "a", count: 40))"},
          "node_modules/opt": {\(tarball("opt", "1.0.0")), "optional": true},
          "node_modules/par": {\(tarball("par", "1.0.0")), "bundleDependencies": ["in"], "dependencies": {"in": "1.0.0"}},
          "node_modules/par/node_modules/in": {"version": "1.0.0", "inBundle": true},
          "node_modules/rb": {\(tarball("rb", "1.0.0")), "inBundle": true},
          "node_modules/u": {"version": "1.0.0", "resolved": "https://example.com/u-1.0.0.tgz", "integrity": "\(integrity("A"))"},
          "node_modules/w": {"resolved": "ws/w", "link": true},
          "ws/w": {"name": "w", "version": "1.0.0", "dependencies": {"x": "1.0.0"}},
          "ws/w/node_modules/x": {\(tarball("x", "1.0.0"))}}}
        """

    static let npmTree = """
        {"lockfileVersion": 1, "requires": true, "dependencies": {
          "a": {\(tarball("a", "1.2.3")), "requires": {"c": "^1.0.0"}, "dependencies": {"c": {\(tarball("c", "1.5.0")), "dev": true}}},
          "alias": {"version": "npm:@s/real@3.1.0"}, "in": {"version": "1.0.0", "bundled": true},
          "g": {"version": "git+ssh://git@github.com/user/g.git#0abc", "from": "g@github:user/g"}}}
        """

    /// Two documents, as pnpm writes them since its version 11.
    static let pnpm = """
        ---
        lockfileVersion: '9.0'

        importers:

          .:
            packageManagerDependencies:
              pnpm:
                specifier: 11.0.0
                version: 11.0.0

        packages:

          pnpm@11.0.0:
            resolution: {integrity: \(integrity("A"))}

        ---
        lockfileVersion: '9.0'

        settings:
          autoInstallPeers: true
          excludeLinksFromLockfile: false

        importers:

          .:
            dependencies:
              alias:
                specifier: npm:@s/n@^1.0.0
                version: '@s/n@1.0.0(react@18.0.0)'
              linked:
                specifier: workspace:*
                version: link:linked

        packages:

          '@s/n@1.0.0':
            resolution: {integrity: \(integrity("A"))}
            peerDependencies:
              react: '*'

          g@git+https://x.example/g.git#0abc:
            resolution: {commit: 0abc, repo: https://x.example/g.git, type: git}
            version: 1.0.0

          h@https://codeload.github.com/u/h/tar.gz/0abc:
            resolution: {tarball: https://codeload.github.com/u/h/tar.gz/0abc}
            version: 1.0.0

          mirrored@2.0.0:
            resolution: {integrity: \(integrity("A")), tarball: https://npm.pkg.github.com/download/mirrored/2.0.0/0abc}
            deprecated: |-
              use *another* one

          node@runtime:22.0.0:
            resolution:
              type: variations
              variants: []
            version: 22.0.0

          t@file:t.tgz:
            resolution: {integrity: \(integrity("A")), tarball: file:t.tgz}

          u@https://example.com/u-1.0.0.tgz:
            resolution: {integrity: \(integrity("A")), tarball: https://example.com/u-1.0.0.tgz}

          v@https://r.example/v/-/v-1.0.0.tgz:
            resolution: {tarball: https://r.example/v/-/v-1.0.0.tgz}

          w@file:../w:
            resolution: {directory: ../w, type: directory}

          x@1.x:
            resolution: {integrity: \(integrity("A"))}

        snapshots:

          '@s/n@1.0.0(react@18.0.0)':
            dependencies:
              react: 18.0.0

        """

    static let classic = """
        # THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.
        # yarn lockfile v1


        "@s/n@^7.0.0", "@s/n@^7.0.0-beta \\"x\\"":
          version "7.0.0"
          resolved "https://registry.yarnpkg.com/@s/n/-/n-7.0.0.tgz#06e2ab19bdb535385559aabb5ba59729482800f8"
          dependencies:
            "@s/m" "^7.0.0"
            a "^1.0.0"

        a@^1.0.0, a@^1.1.0, a@latest:
          version "1.1.0"
          resolved "https://registry.yarnpkg.com/a/-/a-1.1.0.tgz#06e2ab19bdb535385559aabb5ba59729482800f8"
          integrity \(integrity("A"))

        "alias@npm:real@^3.0.0", "other@npm:real@>=3 <4":
          version "3.1.0"
          resolved "https://registry.yarnpkg.com/real/-/real-3.1.0.tgz#06e2ab19bdb535385559aabb5ba59729482800f8"
          optionalDependencies:
            fsevents "^2.0.0"

        "alias@npm:real@^3.2.0":
          version "3.2.0"

        d@./dir:
          version "1.0.0"

        "f@file:./f":
          version "1.0.0"

        g@u/g#main:
          version "1.0.0"
          resolved "https://codeload.github.com/u/g/tar.gz/0abc"

        "h@git+ssh://git@x.example/h.git":
          version "1.0.0"
          resolved "git+ssh://git@x.example/h.git#0abc"

        "l@link:../l":
          version "0.0.0"
          uid ""

        mirrored@^1.0.0:
          version "1.0.0"
          resolved mirrored-1.0.0.tgz#06e2ab19bdb535385559aabb5ba59729482800f8

        "u@https://example.com/u.tgz":
          version "1.0.0"
          resolved "https://example.com/u.tgz#06e2ab19bdb535385559aabb5ba59729482800f8"

        """

    static let berry = """
        # This file is generated by running "yarn install" inside your project.
        # Manual changes might be lost - proceed with caution!

        __metadata:
          version: 8
          cacheKey: 10c0

        "@s/n@npm:^2.0.0, @s/n@npm:^2.0.0-beta.1":
          version: 2.0.0
          resolution: "@s/n@npm:2.0.0"
          dependencies:
            a: "npm:*"
          peerDependencies:
            react: "*"
          checksum: 10c0/0abc
          languageName: node
          linkType: hard

        ? "a@npm:*, a@npm:^1.0.0"
        :
          version: 1.1.0
          resolution: "a@npm:1.1.0"
          conditions: os=darwin & cpu=arm64
          languageName: node
          linkType: hard

        "alias@npm:real@^3.0.0":
          version: 3.1.0
          resolution: "real@npm:3.1.0"
          languageName: node
          linkType: hard

        "f@file:./f.tgz::locator=p%40workspace%3A.":
          version: 1.0.0
          resolution: "f@file:./f.tgz#./f.tgz::hash=0abc&locator=p%40workspace%3A."
          languageName: node
          linkType: hard

        "g@u/g#main":
          version: 1.0.0
          resolution: "g@https://github.com/u/g.git#commit=0abc"
          languageName: node
          linkType: hard

        "hosted@npm:^1.0.0":
          version: 1.0.0
          resolution: "hosted@npm:1.0.0::__archiveUrl=https%3A%2F%2Fnpm.pkg.github.com%2Fdownload%2Fhosted%2F1.0.0%2F0abc"
          languageName: node
          linkType: hard

        "l@link:../l::locator=p%40workspace%3A.":
          version: 0.0.0-use.local
          resolution: "l@link:../l::locator=p%40workspace%3A."
          languageName: node
          linkType: soft

        "old@patch:old@^4.0.0#~builtin<compat/old>":
          version: 4.0.0
          resolution: "old@patch:old@4.0.0#~builtin<compat/old>::version=4.0.0&hash=0abc"
          languageName: node
          linkType: hard

        "p@workspace:.":
          version: 0.0.0-use.local
          resolution: "p@workspace:."
          languageName: unknown
          linkType: soft

        "patched@patch:patched@npm%3A1.0.0#./p":
          version: 1.0.0
          resolution: "patched@patch:patched@npm%3A1.0.0#./p::version=1.0.0&hash=0abc&locator=p%40workspace%3A."
          languageName: node
          linkType: hard

        "patchedgit@patch:patchedgit@u/g#./p":
          version: 1.0.0
          resolution: "patchedgit@patch:patchedgit@https%3A//github.com/u/g.git%23commit=0abc#./p::version=1.0.0&hash=0abc"
          languageName: node
          linkType: hard

        "po@portal:../po::locator=p%40workspace%3A.":
          version: 0.0.0-use.local
          resolution: "po@portal:../po::locator=p%40workspace%3A."
          languageName: node
          linkType: soft

        "twice@patch:twice@patch%3Atwice@npm%253A1.0.0%23./p#./q":
          version: 1.0.0
          resolution: "twice@patch:twice@patch%3Atwice@npm%253A1.0.0%23./p%3A%3Aversion=1.0.0&hash=0abc#./q::version=1.0.0&hash=0abc"
          languageName: node
          linkType: hard

        "u@https://example.com/u.tgz":
          version: 1.0.0
          resolution: "u@https://example.com/u.tgz"
          languageName: node
          linkType: hard

        """
}
