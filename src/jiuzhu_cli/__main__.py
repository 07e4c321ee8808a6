import sys

if sys.argv[1:2] == ["__read__"]:  # see tabular/child.py
    from jiuzhu_cli.tabular.reader import serve

    serve(int(sys.argv[2]))
else:
    from jiuzhu_cli.cli.main import main

    main()
