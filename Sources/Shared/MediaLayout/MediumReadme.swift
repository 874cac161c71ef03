/// `ferry/README.txt` on every medium.
package enum MediumReadme {
    package static let text = """
        FERRY MEDIUM

        npm packages for an isolated Verdaccio registry. Nothing on it is secret.

          Import            ferry-offline import <mount point>
          Check only        ferry-offline verify <mount point>
          Check by hand     cd bundles/<id> && sha512sum -c SHA512SUMS
                            minisign -Vm descriptor.json -p origin.pub
          Unpack by hand    cat diff-*.tar.zst* | tar --zstd -xf - -C PARENT storage
                            (into an EMPTY storage only)

        index.json lists the bundles that were written to the end. Remove the medium only after it was unmounted.

        НОСИТЕЛЬ FERRY

        Пакеты npm для изолированного реестра Verdaccio. Секретов на носителе нет.

          Импорт                   ferry-offline import <точка монтирования>
          Только проверка          ferry-offline verify <точка монтирования>
          Проверка вручную         cd bundles/<id> && sha512sum -c SHA512SUMS
                                   minisign -Vm descriptor.json -p origin.pub
          Распаковка вручную       cat diff-*.tar.zst* | tar --zstd -xf - -C PARENT storage
                                   (только в ПУСТОЕ хранилище)

        В index.json перечислены полностью записанные пакеты. Извлекайте носитель только после размонтирования.

        """
}
