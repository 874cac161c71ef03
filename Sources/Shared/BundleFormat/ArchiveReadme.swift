/// The `README.md` inside every archive: how to apply it with nothing but tar.
///
/// It is the same in every bundle.
enum ArchiveReadme {
    static let text = """
        # Ferry bundle

        npm packages on their way into an isolated Verdaccio. `ferry-offline import` checks and applies this archive.

        By hand, into an EMPTY storage only, `PARENT/storage` being that storage:

            tar --zstd -xf diff-*.tar.zst -C PARENT storage

        then give the files the owner Verdaccio runs as. To check what was unpacked, unpack everything somewhere and run
        `sha512sum -c SHA512SUMS` there. An incremental bundle applied by hand does not keep packages published inside.

        `manifest.json` what is carried and removed · `snapshot.txt` all that the storage holds afterwards · format: FORMAT.md

        ---

        # Пакет Ferry

        Пакеты npm для изолированного Verdaccio. Архив проверяет и применяет `ferry-offline import`.

        Вручную, только в ПУСТОЕ хранилище, где `PARENT/storage` — каталог хранилища:

            tar --zstd -xf diff-*.tar.zst -C PARENT storage

        затем назначьте файлам владельца, от имени которого работает Verdaccio. Проверка: распакуйте всё в отдельный каталог
        и выполните там `sha512sum -c SHA512SUMS`. Инкрементальный пакет, применённый вручную, не сохраняет пакеты,
        опубликованные внутри.

        `manifest.json` — что везём и что удалено · `snapshot.txt` — всё, что будет в хранилище · формат: FORMAT.md

        """
}
