"""Chinese words that `engine/training/edit_sites_zh.py` finds in captions and may exchange.

A row is `category concept measure: forms = hints ~ neighbours`, with hints and neighbours as in
`engine/training/edit_words.py`. A word is found where no longer one is, so that hints also keep
apart what only begins alike, as 球 and 球员. Neighbours count both ways. A star marks things whose
absence can be claimed.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.training.edit_words import listed

NOUN_ROWS = """
*person man 个: 男人 男子 男士 = 男 他 他的 爸爸 父亲 父子 父女 先生 老头 帅哥 大叔 光头 男生 \
男的 男性 黑人 男女 新郎 夫妻 夫妇 大汉 男朋友 情侣 壮汉 胡子 赤裸 光膀子 中年 一家 球员 警察 ~ \
person boy elder
*person woman 个: 女人 女子 女士 美女 = 女 她 她的 妈妈 母亲 母子 母女 女生 女的 女性 男女 新娘 \
夫妻 夫妇 情侣 姑娘 比基尼 女郎 女朋友 一家 妇女 ~ person girl elder
*person boy 个: 男孩 小男孩 男孩子 = 男 男生 少年 父子 母子 兄弟 儿子 孩 他 ~ person child man \
baby
*person girl 个: 女孩 小女孩 女孩子 = 女 女生 少女 父女 母女 姐妹 女儿 姑娘 孩 她 小姑娘 ~ person \
child woman baby
*person child 个: 小孩 孩子 小孩子 小朋友 = 孩 儿童 小孩们 孩子们 童 少年 学生 宝宝 母子 父子 \
父女 母女 儿子 女儿 小朋友们 小学生 一家 男生 女生 小宝宝 ~ person boy girl baby
*person baby 个: 婴儿 = 宝宝 小宝宝 宝贝 幼儿 婴 ~ person child boy girl
*person elder 个: 老人 = 老 老头 老太太 老年人 爷爷 奶奶 老奶奶 老爷爷 ~ man woman person
person person 个: 人 = 人们 人群 运动员 球员 车手 选手 乐队 员 者 友 侣 们 手 爱好者 大人 群众 \
观众 骑手 警察 青年 少年 朋友 情侣 他们 她们 行人 演员 水手 工人 路人 士兵 队员 家人 大家 自己 队 \
歌手 一家人 众人 有人 顾客 游客 学生 新人 夫妇 夫妻 他 她 男女 司机 年轻人 ~ man woman boy girl \
child baby elder
*animal dog 只: 狗 小狗 狗狗 大狗 = 犬 猎狗 猎犬 长毛狗 黑狗 白狗 黄狗 灰狗 花狗 警犬 牧羊犬 金毛 \
狼狗 斑点狗 狗群 犬只 赛狗 爪 宠物 泰迪 哈士奇 ~ animal
*animal cat 只: 猫 小猫 = 猫咪 ~ animal
*animal horse 匹: 马 = 骑马 赛马 马匹 马车 马术 小马 白马 黑马 马背 骑士 牛仔 骏马 木马 斑马 ~ \
animal
*animal bird 只: 鸟 小鸟 = 鸽子 鸭子 天鹅 海鸥 鹅 鸡 鹤 鹰 老鹰 鸟儿 鸭 鹦鹉 飞鸟 大雁 丹顶鹤 \
水鸟 ~ animal
*animal cow 头: 牛 = 斗牛 公牛 奶牛 牛群 骑牛 水牛 牛仔 牛仔裤 ~ animal
animal sheep 只: 羊 = 山羊 绵羊 羊群 ~ animal
group animal 只: 动物 = 小动物 宠物 ~ dog cat horse bird cow sheep
*vehicle bike 辆: 自行车 单车 = 花样自行车 山地车 骑车 行车 骑行 车手 电动车 三轮车 车 赛车 小车 \
骑 ~ motorcycle
*vehicle motorcycle 辆: 摩托车 摩托 = 越野车 电动车 车手 骑车 车 赛车 小车 花样摩托 ~ bike
*vehicle car 辆: 汽车 轿车 = 车 赛车 越野车 小车 吉普车 车手 开车 停车场 卡车 马路 公路 驾驶 司机 \
货车 大车 玩具车 跑车 出租车 车辆 车里 车上 ~ bus
*vehicle bus 辆: 公交车 = 巴士 车 客车 公交 ~ train car
*vehicle train 列: 火车 = 地铁 车厢 铁路 铁轨 车 ~ bus
*vehicle boat 艘: 船 小船 = 划船 皮划艇 皮艇 帆船 独木舟 快艇 游艇 划艇 艇 漂流 橡皮艇 木船 皮筏 \
轮船 滑水 赛艇 划 筏 ~
*board skateboard 个: 滑板 = 滑板车 玩滑板 花样滑板 板 ~
*board sled 个: 雪橇 = 滑雪 板 ~
*board swing 个: 秋千 = 荡秋千 玩秋千 ~
*board slide 个: 滑梯 = 滑滑梯 玩滑梯 滑 ~
*board trampoline 个: 蹦床 = 蹦 跳床 ~
*thing ball 个: 球 小球 皮球 网球 足球 篮球 棒球 橄榄球 = 打球 玩球 球员 排球 打篮球 踢足球 \
打网球 打棒球 打橄榄球 踢球 曲棍球 球衣 球场 冰球 高尔夫球 球拍 抢球 台球 保龄球 羽毛球 雪球 水球 \
接球 球队 气球 球类 传球 投球 高尔夫 运球 玩具 ~ object
*thing frisbee 个: 飞盘 = 盘子 飞碟 盘 ~ object toy
*thing stick 根: 木棍 棍子 = 树枝 木头 棍 木棒 树干 木 杆 拐杖 棒 ~ object toy
*thing toy 个: 玩具 = 娃娃 玩偶 玩具车 玩具熊 布娃娃 毛绒 球 飞盘 ~ object ball frisbee
*thing rope 根: 绳子 = 绳 绳索 攀岩 缆绳 拔河 链子 牵着 攀 ~
*thing umbrella 把: 雨伞 伞 = 打伞 降落伞 太阳伞 滑翔伞 ~
*thing guitar 把: 吉他 = 弹吉他 乐器 琴 乐队 演奏 表演 ~
*thing camera 台: 照相机 相机 = 拍照 照相 合照 合影 摄影 照片 摄像 录像 摄像机 ~
*thing book 本: 书 = 看书 读书 报纸 杂志 书包 ~
*thing phone 个: 手机 电话 = 打电话 ~
*thing bottle 个: 瓶子 = 瓶 酒 喝 饮料 水瓶 ~
*thing flag 面: 旗子 旗帜 = 旗 国旗 彩旗 ~
*thing balloon 个: 气球 = 热气球 ~
*thing bag 个: 背包 包 = 书包 挎包 包包 手提包 袋子 登山 背 行李 ~
*wear hat 顶: 帽子 = 帽 头盔 安全帽 草帽 头巾 泳帽 牛仔帽 ~ helmet
*wear helmet 顶: 头盔 = 帽 安全帽 帽子 骑 车手 ~ hat
*wear glasses 副: 眼镜 墨镜 太阳镜 = 镜 ~
*wear scarf 条: 围巾 = 头巾 丝巾 ~
wear mask 个: 面具 = 面罩 口罩 ~
worn skirt 条: 裙子 连衣裙 = 裙 婚纱 礼服 ~
worn vest 件: 背心 = 马甲 ~ clothes
worn trousers 条: 裤子 短裤 牛仔裤 = 裤 泳裤 ~ clothes
worn shirt 件: T恤 衬衫 上衣 = 衬衣 短袖 T恤衫 ~ clothes coat
worn coat 件: 外套 大衣 = 羽绒服 棉袄 棉衣 风衣 夹克 ~ clothes shirt
worn suit 套: 西装 = 西服 礼服 正装 ~ clothes
worn clothes 件: 衣服 = 球衣 毛衣 运动服 泳衣 服装 衣 服 ~ skirt vest trousers shirt coat suit
plain hair 头: 头发 = 毛 发 长发 短发 卷发 胡子 ~
seat bench 把: 长椅 椅子 凳子 = 坐 座椅 座位 椅 躺椅 轮椅 ~
seat couch 个: 沙发 = ~
seat bed 张: 床 = 被子 睡 ~
seat table 张: 桌子 = 桌 餐桌 吃饭 ~
"""
# Places with the word that says in what way somebody is there.
PLACE_ROWS = """
grass: 草地上 草坪上 草地里 草地中 草丛中 草丛里 草坪里 = 草 草地 草坪 草丛 草原 田野 野外 公园 \
足球场 花丛 院子 操场 庄稼 绿地 ~ park field forest
snow: 雪地里 雪地上 雪地中 雪中 雪山上 = 雪 雪地 雪山 滑雪 冰 冰上 冰面 雪橇 雪坡 ~ mountain
water: 水中 水里 水面上 海里 河里 池塘里 湖里 小河里 湖中 河中 海水里 海水中 = 水 河 海 湖 池 浪 \
游泳 泳池 游泳池 冲浪 划船 船 小河 海里 水池 泳 海浪 喷泉 漂流 潜水 水上 跳水 溪 瀑布 雨 钓鱼 \
沙滩 戏水 ~ beach pool sea
sea: 海边 海上 大海里 海面上 = 海 海浪 冲浪 沙滩 海滩 浪 船 水面 水中 河 湖 水 ~ beach
pool: 泳池里 游泳池里 泳池边 水池里 泳池中 = 泳池 游泳 游泳池 池 跳水 浴池 ~ water
beach: 沙滩上 海滩上 沙滩边 = 沙滩 海滩 沙 海边 沙地 海 岸 沙子 河边 水边 沙漠 ~ water sea
street: 街道上 马路上 街上 大街上 街头 路上 道路上 公路上 街边 路边 马路边 人行道上 = 街 路 街道 \
马路 道 人行道 公路 大街 广场 赛道 车道 城市 商店 斑马线 市场 小路 跑道 ~ park
mountain: 山上 山顶上 山坡上 山顶 山里 岩石上 石头上 山崖上 悬崖上 = 山 岩 攀岩 石 石头 悬崖 爬山 \
登山 坡 岩石 山坡 雪山 ~
forest: 树林里 树林中 森林里 丛林中 丛林里 = 树 林 树林 森林 树木 树叶 树旁 树边 公园 野外 ~
park: 公园里 院子里 操场上 广场上 = 公园 院子 操场 广场 游乐场 游乐园 秋千 滑梯 庭院 校园 场 草 \
街 ~
bench: 椅子上 长椅上 凳子上 = 椅 凳 座 座椅 坐 ~
couch: 沙发上 = 沙发 椅 坐 ~
bed: 床上 = 床 睡 被 躺 蹦床 ~ couch
car: 车上 车里 汽车里 = 车 开车 驾驶 赛车 骑 ~
boat: 船上 船里 小船上 = 船 划船 艇 皮艇 划 筏 皮筏 漂流 ~ water
stage: 舞台上 台上 = 舞台 台 表演 演出 演唱 ~
tree: 树上 树下 = 树 树枝 树干 林 ~ forest
stairs: 台阶上 楼梯上 = 台阶 楼梯 阶 梯 滑梯 ~
room: 屋里 房间里 室内 餐厅里 厨房里 商店里 = 屋 房 室 餐厅 厨房 店 家 超市 商场 酒吧 沙发 床 桌 \
~ couch bed
mud: 泥地里 泥里 土地上 = 泥 土 沙 ~ beach
"""
ACTION_ROWS = """
run: 奔跑 跑步 狂奔 飞奔 = 跑 奔 赛跑 冲 追 追逐 跨栏 玩耍 玩 打闹 比赛 嬉戏 跳 ~ walk
walk: 走路 散步 行走 = 走 逛 步 爬山 登山 遛 ~ run stand
jump: 跳跃 跳起来 = 跳 跃 腾空 腾空而起 蹦 飞 跨栏 空中 跳水 花样 跑酷 翻 ~ dance
swim: 游泳 = 泳 游 潜水 玩水 跳水 戏水 水中 水里 洗澡 ~
sleep: 睡觉 = 睡 躺 休息 趴 ~
rest: 休息 = 坐 躺 趴 睡 歇 靠 ~ sleep
ski: 滑雪 = 雪橇 滑 ~
skateboard: 玩滑板 滑滑板 玩花样滑板 = 滑板 滑 花样 ~
surf: 冲浪 = 浪 滑水 水上 ~
climb: 攀岩 爬山 登山 = 攀 爬 岩 ~
bike: 骑自行车 骑车 骑单车 = 骑 自行车 单车 车 ~ motorcycle
motorcycle: 骑摩托车 骑摩托 = 骑 摩托 摩托车 车 赛车 ~ bike
horse: 骑马 = 马 骑 ~
dance: 跳舞 = 舞 跳 表演 ~
basketball: 打篮球 = 篮球 球 打球 ~
football: 踢足球 = 足球 踢球 球 ~
tennis: 打网球 = 网球 球 打球 ~
baseball: 打棒球 = 棒球 球 打球 ~
rugby: 打橄榄球 = 橄榄球 球 ~
swing: 荡秋千 玩秋千 = 秋千 荡 ~
slide: 玩滑梯 滑滑梯 = 滑梯 滑 ~
read: 看书 读书 = 书 读 报 ~
eat: 吃东西 吃饭 = 吃 喂 餐 饭 咬 嘴 ~
drink: 喝水 喝酒 喝东西 = 喝 饮 酒 ~
fish: 钓鱼 = 钓 渔 ~
photo: 拍照 照相 合照 = 照 合影 拍 摄 相机 姿势 ~
perform: 表演 = 演 舞 唱 琴 吉他 乐 花样 杂技 ~
fight: 打架 打闹 = 打 撕咬 摔跤 抢 咬 ~
row: 划船 = 船 划 艇 漂流 ~
guitar: 弹吉他 = 吉他 琴 ~
smoke: 抽烟 = 烟 吸 ~
call: 打电话 = 电话 手机 ~
"""

COLOURS = "红黄蓝绿白黑灰粉紫棕橙"
COLOUR_NEAR = {
    "红": "粉橙棕紫", "黄": "橙棕金", "蓝": "紫", "绿": "", "白": "灰黄", "黑": "灰",
    "灰": "黑白蓝",
    "粉": "红紫", "紫": "粉蓝红", "棕": "黄橙褐红金", "橙": "红黄棕橘",
}  # fmt: skip
NUMBERS = "一两三四五六"
MEASURES = "个只名条位辆匹头"
MANY = (
    "群", "多", "几", "们", "对", "些", "队", "情侣", "男女", "夫", "父女", "母女", "母子", "父子",
    "俩", "另", "其他", "双", "互", "一起", "合", "和", "与", "二", "乐队", "比赛",
)  # fmt: skip
# With these one alone reads wrong.
COMPANY = listed("一起 互 打架 打闹 追 合照 合影 排 吵 抢 拥 搂 亲 接吻 相 聊 之间 并")


@dataclass(frozen=True, slots=True)
class Word:
    """A form that may be exchanged; ``measure`` is its measure word, if it is counted."""

    concept: str
    category: str
    measure: str


def read_rows() -> tuple[dict[str, Word], dict[str, set[str]], dict[str, set[str]], set[str]]:
    """Forms by word, concepts that a word tells of, neighbours of a concept, starred concepts.

    Concepts of places and actions begin with "place:" and "action:".
    """
    forms: dict[str, Word] = {}
    tells: dict[str, set[str]] = {}
    near: dict[str, set[str]] = {}
    starred: set[str] = set()
    rows = [(row, "") for row in NOUN_ROWS.strip().splitlines()]
    rows += [(f"place {row}", "place:") for row in PLACE_ROWS.strip().splitlines()]
    rows += [(f"action {row}", "action:") for row in ACTION_ROWS.strip().splitlines()]
    for row, prefix in rows:
        start, _, rest = row.partition(":")
        category, name, measure = (*start.lstrip("*").split(), "")[:3]
        concept = prefix + name
        rest, _, neighbours = rest.partition("~")
        words, _, hints = rest.partition("=")
        if row.startswith("*"):
            starred.add(concept)
        for word in words.split():
            forms.setdefault(word, Word(concept, category, measure))
        for word in (words + hints).split():
            tells.setdefault(word, set()).add(concept)
        for other in neighbours.split():
            near.setdefault(concept, set()).add(prefix + other)
            near.setdefault(prefix + other, set()).add(concept)
    return forms, tells, near, starred
