extension OnlineSettings {
    /// A `ferry.yaml` with every key, explained.
    ///
    /// Keys without a default are commented out by a `#` that no space follows; all others have their defaults.
    package static let example = """
        # ferry.yaml: settings of ferry-online.
        #
        # Looked for in this order: --config FILE, FERRY_CONFIG, STATE/ferry.yaml, /etc/ferry/ferry.yaml; the first is the only one read.
        # Each key can also be set by a variable of the environment, which wins over this file: FERRY_ and the key in capitals with _ for
        # every . and -, such as FERRY_SPACE_WARNING_DAYS_LEFT; state is FERRY_ONLINE_STATE, verdaccio.registry is FERRY_REGISTRY. Flags
        # win over both. "ferry-online config show" says what holds and why, "ferry-online config check" whether this file can be used.
        #
        # Relative paths are below the directory of this file. Sizes: 512 MiB, 10 GiB, 1.5 TiB. Times: 12 hours, 90 days, 8 weeks.

        # Where ferry-online keeps its state: catalog, keys, snapshots, bundles, logs.
        #state: /var/lib/ferry-online

        # Verdaccio's storage directory; needed only where no verdaccio.config is named, or where it is not the one that says it.
        #storage: /var/lib/verdaccio/storage

        verdaccio:
          # Verdaccio's own configuration: gives the storage, the per-package "storage:" directories, the uplinks and the address.
          #config: /etc/verdaccio/config.yaml
          # The address of Verdaccio, unless its configuration says where it listens.
          registry: http://localhost:4873
          # The registry that Verdaccio fetches from, where its configuration is not named; refresh asks it, too. Else it is not asked.
          upstream: none

        # The machines that packages are installed on inside; this machine's platform unless it is said.
        #platforms: [linux-x64, linux-arm64-musl, darwin-arm64, win32-x64]

        # When to warn that a disk fills up. A level is passed where one of its three is; "off" takes one out.
        space:
          warning:
            # Percent of the bytes, or of the inodes.
            free-percent: 10
            free: 10 GiB
            # Days until it is full, at the growth of the last 30 days.
            days-left: 30
          critical:
            free-percent: 3
            free: 2 GiB
            days-left: 7

        # What "ferry-online prune" removes: whatever passes one of the three limits, the oldest first. Never removed are the newest
        # snapshot, those that a destination builds upon, and the newest bundle of each destination.
        retention:
          # A removed snapshot can no longer be the baseline of a bundle, and cannot be taken again: nothing is removed unasked.
          snapshots:
            count: unlimited
            age: unlimited
            size: unlimited
          # Archives of bundles. A removed one can be made again as long as its snapshots are there.
          artifacts:
            count: unlimited
            age: unlimited
            size: unlimited
          # Logs of jobs: for a quarter, and never so many that they matter.
          logs:
            count: unlimited
            age: 90 days
            size: 1 GiB

        media:
          # Every file system that is mounted below one of these is a medium, and so is whatever can be pulled out, wherever it is
          # mounted. In a variable of the environment a : stands between them.
          roots: [/media, /run/media, /mnt]
          # What "ferry-online serve" does when a medium of ours is plugged in: "ask" waits for a person; "automatic" puts on it the newest
          # bundle for each destination that has not acknowledged as much.
          export: ask
          # What an export may remove from a medium that has no room for the bundle: "acknowledged" bundles of this origin, whose state every
          # destination they were made for has acknowledged, the oldest first and no more than it takes, since a stick that travels to and
          # fro would fill up and stop; "never" none. "ferry-online media clean" removes them by hand.
          remove: acknowledged

        # The server, "ferry-online serve". There is no login: it answers this machine alone unless it is told to listen elsewhere.
        serve:
          # HOST:PORT; 0.0.0.0:4880 or [::]:4880 for every address of this machine.
          listen: 127.0.0.1:4880
          # The names that browsers call it by, beside localhost and addresses in numbers.
          hosts: []
          # How long running jobs may go on when it is told to end.
          grace: 20 seconds

        # Jobs of the server; each is a process of its own.
        jobs:
          # At once; those that write are one after the other anyway.
          at-once: 2
          # How much they stand back, from 0 to 19.
          nice: 10
          # Processors that a job may use.
          cpus: all
          # A cgroup that is there, whose limits hold for all jobs together; the server must be allowed to put processes into it.
          #cgroup: /sys/fs/cgroup/ferry-jobs
          # How long one may take.
          time-limit: none
          # How often in a row one that was interrupted is begun again.
          resumptions: 3

        # Whose clocks the times of schedules are read from; the machine's own (TZ, /etc/localtime) unless said.
        #time-zone: Europe/Berlin

        # What is started again and again. "job" is a kind of job with its parameters: full_cache_refresh, delta_refresh, metadata_scan,
        # broken_scan, broken_repair, snapshot, diff_build, retention. "when" is "every" with a length of time, a cron expression of five
        # fields that a time zone may follow, or never. A start is put off by up to "jitter". One that was missed is made up for, much as one
        # (catch-up), or passed over (skip). What is still queued or running is not queued again. Others may be added under any name.
        schedules:
          delta-refresh:
            job: delta_refresh
            when: every 12 hours
            jitter: 10 minutes
            missed: catch-up
            time-limit: none
          full-refresh:
            job: full_cache_refresh
            when: 0 1 * * SUN
            jitter: 10 minutes
            missed: catch-up
            time-limit: none
          scan:
            job: metadata_scan
            when: 30 5 * * *
            jitter: 0 seconds
            missed: catch-up
            time-limit: none
          broken-scan:
            job: broken_scan repair=true
            when: 0 4 * * WED
            jitter: 0 seconds
            missed: catch-up
            time-limit: none
          retention:
            job: retention
            when: 45 5 * * *
            jitter: 0 seconds
            missed: catch-up
            time-limit: none

        # What follows when a job has succeeded, step by step; a step that fails ends it. Others may be added under any name.
        chains:
          after-full-refresh:
            after: full_cache_refresh
            steps: [metadata_scan, broken_scan, snapshot, diff_build unlessEmpty=true]

        """
}
