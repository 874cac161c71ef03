import PackageStore

/// The words of a report in one language.
package struct Phrases: Sendable {
    /// The languages there are.
    package enum Language: String, Sendable, CaseIterable { case en, ru }

    let language: Language
    let texts: [Key: String]

    enum Key: CaseIterable {
        case title, rollbackTitle, releaseTitle, adoptionTitle, left, undone, undoneBy, running, bundle, label, sequence, origin,
            destination, state,
            began, ended, by, host,
            from,
            medium, program, storage, signedBy, unsigned, duration, verify, apply, service, result, outcome, files, brought, package,
            versions,
            bytes, refused, reason, digests, file, digest, checks, checkSignature, checkUnsigned, checkChunks, checkChain, checkChainBroken,
            checkService, checkNoService, howToUndo, undoWith, undoNot, chain, previous, this, none, seconds, packument, stateRoot, more
    }

    package init(_ language: Language) {
        self.language = language
        texts = language == .ru ? Self.russian : Self.english
    }

    func callAsFunction(_ key: Key) -> String { texts[key] ?? "" }

    func outcome(_ outcome: VersionOutcome) -> String {
        switch (outcome, language) {
        case (.added, .en): "added"
        case (.added, .ru): "добавлено"
        case (.held, .en): "was here already"
        case (.held, .ru): "уже было"
        case (.healed, .en): "damaged or missing here, replaced"
        case (.healed, .ru): "было повреждено или утеряно, заменено"
        case (.conflict, .en): "refused: other bytes are here under the same version"
        case (.conflict, .ru): "отклонено: под этой версией здесь другое содержимое"
        case (.ownedLocally, .en): "refused: the package is published here"
        case (.ownedLocally, .ru): "отклонено: пакет публикуется здесь"
        case (.removed, .en): "was removed here and stays removed"
        case (.removed, .ru): "удалено здесь и не возвращено"
        case (.absent, .en): "absent"
        case (.absent, .ru): "отсутствует"
        case (.intended, .en): "not completed"
        case (.intended, .ru): "не завершено"
        case (.undone, .en): "taken away"
        case (.undone, .ru): "убрано"
        case (.leaving, .en): "has left its origin; not completed"
        case (.leaving, .ru): "исчезло у источника; не завершено"
        case (.quarantined, .en): "has left its origin, put in quarantine"
        case (.quarantined, .ru): "исчезло у источника, помещено в карантин"
        case (.deleted, .en): "has left its origin, deleted"
        case (.deleted, .ru): "исчезло у источника, удалено"
        case (.withdrawn, .en): "a later bundle took it away; not brought back"
        case (.withdrawn, .ru): "убрано более поздним пакетом и не возвращено"
        case (.released, .en): "released from quarantine"
        case (.released, .ru): "выпущено из карантина"
        case (.returned, .en): "had been taken away, brought back"
        case (.returned, .ru): "было убрано, возвращено"
        case (.adopted, .en): "was here before"
        case (.adopted, .ru): "было здесь раньше"
        }
    }

    private static let english: [Key: String] = [
        .title: "Import", .rollbackTitle: "Rollback", .releaseTitle: "Release from quarantine", .adoptionTitle: "Adoption",
        .left: "What was taken away, or came back",
        .undone: "This import was rolled back.", .undoneBy: "Rolled back by entry",
        .running: "This import has not ended.", .bundle: "Bundle", .label: "Label", .sequence: "Sequence", .origin: "Origin",
        .destination: "Destination", .state: "State", .began: "Began", .ended: "Ended", .by: "By", .host: "Host", .from: "From",
        .medium: "Medium", .program: "Program", .storage: "Storage", .signedBy: "Signed by", .unsigned: "not signed", .duration: "Duration",
        .verify: "proving and staging", .apply: "applying", .service: "restart and comparison", .result: "Result", .outcome: "Outcome",
        .files: "Files", .brought: "What came in", .package: "Package", .versions: "Versions", .bytes: "Bytes",
        .refused: "What was not taken",
        .reason: "Reason", .digests: "Digests", .file: "File", .digest: "SHA-512", .checks: "Checks",
        .checkSignature: "The descriptor's signature was verified with a trusted key of this origin.",
        .checkUnsigned: "The bundle was not signed; that was allowed.",
        .checkChunks:
            "Every chunk of the archive, and every file, was compared with the digests that the descriptor covers, before anything in the storage changed.",
        .checkChain: "The ledger's chain of digests is unbroken.", .checkChainBroken: "The ledger's chain of digests is BROKEN",
        .checkService: "Fetched from the registry over HTTP and compared:", .checkNoService: "Nothing was fetched from the registry.",
        .howToUndo: "How to undo it", .undoWith: "What was published, tagged or imported since stays.",
        .undoNot: "What it would be undone by is not kept any more.", .chain: "Chain of digests", .previous: "Entry before",
        .this: "This entry",
        .none: "none", .seconds: "s", .packument: "packuments", .stateRoot: "State root", .more: "And so many more, which are listed by",
    ]

    private static let russian: [Key: String] = [
        .title: "Импорт", .rollbackTitle: "Откат", .releaseTitle: "Выпуск из карантина", .adoptionTitle: "Принятие хранилища",
        .left: "Что убрано или возвращено",
        .undone: "Этот импорт был отменён.", .undoneBy: "Отменён записью",
        .running: "Этот импорт не завершён.", .bundle: "Бандл", .label: "Метка", .sequence: "Номер", .origin: "Источник",
        .destination: "Получатель", .state: "Состояние", .began: "Начало", .ended: "Конец", .by: "Оператор", .host: "Узел", .from: "Откуда",
        .medium: "Носитель", .program: "Программа", .storage: "Хранилище", .signedBy: "Подписано ключом", .unsigned: "без подписи",
        .duration: "Длительность", .verify: "проверка и подготовка", .apply: "применение", .service: "перезапуск и сравнение",
        .result: "Результат", .outcome: "Исход", .files: "Файлы", .brought: "Что поступило", .package: "Пакет", .versions: "Версии",
        .bytes: "Байты", .refused: "Что не принято", .reason: "Причина", .digests: "Контрольные суммы", .file: "Файл", .digest: "SHA-512",
        .checks: "Проверки", .checkSignature: "Подпись описания проверена доверенным ключом этого источника.",
        .checkUnsigned: "Бандл не подписан; это было разрешено.",
        .checkChunks:
            "Каждая часть архива и каждый файл сверены с контрольными суммами, которые заверяет описание, до любого изменения хранилища.",
        .checkChain: "Цепочка контрольных сумм журнала не нарушена.", .checkChainBroken: "Цепочка контрольных сумм журнала НАРУШЕНА",
        .checkService: "Получено из реестра по HTTP и сверено:", .checkNoService: "Из реестра ничего не запрашивалось.",
        .howToUndo: "Как отменить", .undoWith: "Всё, что с тех пор опубликовано, помечено или импортировано, останется.",
        .undoNot: "Данные для отмены больше не хранятся.", .chain: "Цепочка контрольных сумм", .previous: "Предыдущая запись",
        .this: "Эта запись", .none: "нет", .seconds: "с", .packument: "описаний пакетов",
        .stateRoot: "Корень состояния", .more: "Остальные строки показывает",
    ]
}
