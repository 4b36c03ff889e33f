"""Small real tokenizers: WordPiece (BERT, DistilBERT) and byte-level BPE (RoBERTa), and texts that try them hard."""

import string

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

WORDS = '''the a an and or not is was are to of in for on with at by from you your we our it this that free money win
offer now click here please reply meeting today tomorrow report project mail list thank best deal buy cheap price hello
dear friend hi new can will do have has be they he she i me my no yes if so as but all one two see time'''.split()
PIECES = '''##s ##ing ##ed ##er ##ly ##tion ##es ##ment ##al ##able ##ize ##ness ##ity un re pre'''.split()

TEXTS = [
    'Hello dear friend, WIN free money now!!! Click here.',
    'The meeting is tomorrow at 10:30; please reply to the mailing list.',
    'Thank you for your unread report and the re-priced offers.',
    '',
    'a',
    'Caf\u00e9 na\u00efve \u00dcber \u01c5 \u4f60\u597d \U0001f600 \u200b tab\there\nnew line',
    'supercalifragilisticexpialidocious' * 4,
    '[CLS] written [SEP] by a user [MASK]',
]

CORPUS = [' '.join(WORDS), *TEXTS, 'the meeting of the project is today', 'buy cheap now, best price, free offer']


def wordpiece():
    characters = string.ascii_lowercase + string.digits
    vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', *'.,;:!?\'"()-$%&@#/', *characters]
    vocabulary += ['##' + character for character in characters] + PIECES + WORDS
    vocabulary = list(dict.fromkeys(vocabulary))
    tokenizer = Tokenizer(models.WordPiece({token: index for index, token in enumerate(vocabulary)},
                                           unk_token='[UNK]', max_input_chars_per_word=100))
    tokenizer.add_special_tokens(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'])
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single='[CLS]:0 $A:0 [SEP]:0', pair='[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1',
        special_tokens=[('[CLS]', 2), ('[SEP]', 3)])
    tokenizer.decoder = decoders.WordPiece(prefix='##')
    return tokenizer


def byte_bpe():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=330, show_progress=False,
                                  special_tokens=['<s>', '<pad>', '</s>', '<unk>', '<mask>'],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(('</s>', 2), ('<s>', 0), trim_offsets=True,
                                                            add_prefix_space=False)
    return tokenizer


def expected(tokenizer):
    return [{'text': text, 'ids': tokenizer.encode(text).ids} for text in TEXTS]
