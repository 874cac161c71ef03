import CanonicalJSON
import Jobs
import Testing

@Suite struct JobParameterTests {
    @Test(
        arguments: [
            (JobKind.scan, "colour", JSONValue.bool(true)), (.deltaRefresh, "minutes", 0), (.deltaRefresh, "minutes", .number(1.5)),
            (.deltaRefresh, "minutes", "60"), (.deltaRefresh, "minutes", .number(1e18)), (.fullRefresh, "parallelism", 257),
            (.fullRefresh, "parallelism", -1), (.fullRefresh, "policies", "latest"), (.fullRefresh, "policies", ["newest"]),
            (.fullRefresh, "dryRun", "yes"), (.fullRefresh, "dryRun", .null), (.diffBuild, "baseline", ""),
            (.diffBuild, "baseline", "a\nb"), (.diffBuild, "baseline", "newest"), (.diffBuild, "destination", "d-1"),
            (.repair, "packages", ["é"]),
            (.repair, "packages", [1]), (.repair, "packages", .array(Array(repeating: "a", count: 201))),
        ] as [(JobKind, String, JSONValue)])
    func `a parameter that cannot be is refused by its name`(kind: JobKind, name: String, value: JSONValue) {
        let error = #expect(throws: JobParameterError.self) { try JobParameters([name: value], for: kind) }
        #expect(error?.parameter == name && error?.words.isEmpty == false)
    }

    @Test func `what must be given is asked for`() {
        let error = #expect(throws: JobParameterError.self) { try JobParameters(["artifact": "b-1"], for: .export) }
        #expect(error?.parameter == "medium")
    }

    @Test func `a value is never taken for an option, and what is not said is the job's default`() throws {
        let refresh = try JobParameters(
            ["minutes": 5, "policies": ["latest", "tags"], "platforms": ["--state=/etc"], "dryRun": false], for: .deltaRefresh)
        #expect(
            refresh.arguments(for: .deltaRefresh) == ["--minutes=5", "--policy=latest", "--policy=tags", "--platform=--state=/etc"])
        let repair = try JobParameters(["packages": ["--dry-run", "foo"], "parallelism": 2], for: .repair)
        #expect(repair.arguments(for: .repair) == ["--parallelism=2", "--", "--dry-run", "foo"])
        #expect(JobParameters.none.arguments(for: .diffBuild) == ["--baseline=next", "--target=new"])
        let filler = try JobParameters(["request": "r-00000000000000000000"], for: .diffBuild)
        #expect(filler.arguments(for: .diffBuild) == ["--request=r-00000000000000000000"])
    }

    @Test(arguments: [
        "delta_refresh minutes=2880", "broken_scan repair=true", "full_cache_refresh policies=latest,tags dryRun=true",
        "diff_build baseline=empty unlessEmpty=true", "retention",
    ])
    func `a job is written in words, and read again`(text: String) throws {
        let request = try JobRequest(text)
        #expect(try JobRequest(request.description) == request)
        #expect(JobRequest(request.json) == request)
    }

    @Test(arguments: [
        ("", "job"), ("refresh", "job"), ("scan", "job"), ("delta_refresh minutes", "minutes"), ("delta_refresh minutes=x", "minutes"),
        ("delta_refresh minutes=1 minutes=2", "minutes"), ("broken_scan repair=maybe", "repair"), ("broken_scan dryRun=true", "dryRun"),
    ])
    func `words that are no job are refused with what is wrong`(text: String, parameter: String) {
        let error = #expect(throws: JobParameterError.self) { try JobRequest(text) }
        #expect(error?.parameter == parameter)
    }
}
