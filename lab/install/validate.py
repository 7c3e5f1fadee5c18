# Checks deployment files against the schemas of schemas.sh: `python3 lab/install/validate.py FOLDER compose|kubernetes FILE...`.
# Prints what is wrong, one line each, and exits with 1 if anything is.
import json
import sys

folder, kind, *files = sys.argv[1:]
sys.path.insert(0, f'{folder}/python')
import jsonschema  # noqa: E402
import kubernetes_validate  # noqa: E402
import yaml  # noqa: E402

failed = False
for file in files:
    with open(file) as text:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    for document in documents:
        try:
            if kind == 'compose':
                with open(f'{folder}/compose-spec.json') as schema:
                    jsonschema.validate(document, json.load(schema))
            else:
                kubernetes_validate.validate(document, '1.37', strict=True)
        except Exception as error:
            failed = True
            message = getattr(error, 'message', None) or str(error)
            print(f'{file}: {message}'.split('\n')[0])
sys.exit(1 if failed else 0)
