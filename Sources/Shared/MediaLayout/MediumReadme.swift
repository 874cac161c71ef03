/// `ferry/README.txt` on every medium.
package enum MediumReadme {
    package static let text = """
        FERRY MEDIUM

        npm packages for an isolated Verdaccio registry. Nothing on it is secret.

          Import            ferry-offline import <mount point>
          Check only        ferry-offline verify <mount point>
          Check by hand     sh ferry/tools/verify.sh -p origin.pub
                            or, in bundles/<id>: sha512sum -c SHA512SUMS
                            and minisign -Vm descriptor.json -p origin.pub
          Unpack by hand    cat diff-*.tar.zst* | tar --zstd -xf - -C PARENT storage
                            (into an EMPTY storage only)

        index.json lists the bundles that were written to the end; in parts/ lie volumes of bundles that go over several media, which may be
        plugged in in any order. tools/ferry-offline-…, where it is there, is the importer itself. Remove the medium only after it was unmounted.

        НОСИТЕЛЬ FERRY

        Пакеты npm для изолированного реестра Verdaccio. Секретов на носителе нет.

          Импорт                   ferry-offline import <точка монтирования>
          Только проверка          ferry-offline verify <точка монтирования>
          Проверка вручную         sh ferry/tools/verify.sh -p origin.pub
                                   или в bundles/<id>: sha512sum -c SHA512SUMS
                                   и minisign -Vm descriptor.json -p origin.pub
          Распаковка вручную       cat diff-*.tar.zst* | tar --zstd -xf - -C PARENT storage
                                   (только в ПУСТОЕ хранилище)

        В index.json перечислены полностью записанные пакеты; в parts/ лежат тома пакетов, занимающих несколько носителей, которые можно
        подключать в любом порядке. tools/ferry-offline-…, если он есть, — сам импортёр. Извлекайте носитель только после размонтирования.

        """
}
